package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Where everything goes: inodes with their tails from the superblock on, the root first, then whole
 * blocks of data in the same order.
 */
final class ErofsLayout {
  static final int BLOCK_BITS = 12;
  static final int BLOCK = 1 << BLOCK_BITS;

  private static final int FIRST_INODE = ErofsSuperblock.OFFSET + ErofsSuperblock.SIZE;
  private static final int UNIT = ErofsInode.COMPACT_SIZE;
  private static final long MAX_U16 = 0xffff;
  private static final long MAX_U32 = 0xffff_ffffL;

  /** A tail up to this size may begin a new block of inodes; a longer one gets its own block. */
  private static final int SHORT_TAIL = BLOCK / 2;

  private final List<ErofsNode> nodes = new ArrayList<>();
  private long metaEnd = FIRST_INODE;
  private final long blocks;
  private long dataBytes;

  ErofsLayout(ErofsNode root) {
    collect(root);
    long number = 1;
    for (ErofsNode node : nodes) {
      node.number = number++;
      place(node);
    }
    long block = (metaEnd + BLOCK - 1) / BLOCK;
    for (ErofsNode node : nodes) {
      node.firstBlock = block;
      block += dataBlocks(node);
      dataBytes += node.size;
    }
    blocks = block;
    if (blocks > MAX_U32) {
      throw new ImageException(
          ImageFormat.EROFS, "an image has at most 2^32 - 1 blocks of 4096 bytes");
    }
  }

  /** All nodes once, each folder before what is in it. */
  private void collect(ErofsNode root) {
    Deque<ErofsNode> folders = new ArrayDeque<>();
    root.metaAt = 0;
    nodes.add(root);
    folders.add(root);
    while (!folders.isEmpty()) {
      ErofsNode folder = folders.remove();
      folder.links = 2;
      for (ErofsNode child : folder.children.values()) {
        if (child.isFolder()) {
          folder.links++;
          folders.add(child);
        } else {
          child.links++;
        }
        // A hard link leads to a node that was seen before.
        if (child.metaAt < 0) {
          child.metaAt = 0;
          nodes.add(child);
        }
      }
      folder.size = ErofsDirectory.size(folder.names(), BLOCK);
    }
  }

  private void place(ErofsNode node) {
    node.extended =
        node.size > MAX_U32
            || node.links > MAX_U16
            || Integer.toUnsignedLong(node.uid) > MAX_U16
            || Integer.toUnsignedLong(node.gid) > MAX_U16;
    int inodeSize = node.extended ? ErofsInode.EXTENDED_SIZE : ErofsInode.COMPACT_SIZE;
    int tail = (int) (node.size % BLOCK);
    metaEnd = (metaEnd + UNIT - 1) / UNIT * UNIT;
    int room = (int) (BLOCK - metaEnd % BLOCK);
    boolean fits = inodeSize + tail <= room;
    node.inline = tail > 0 && (fits || (tail <= SHORT_TAIL && inodeSize + tail <= BLOCK));
    int need = inodeSize + (node.inline ? tail : 0);
    if (need > room) {
      metaEnd += room;
    }
    node.metaAt = metaEnd;
    metaEnd += need;
  }

  static long dataBlocks(ErofsNode node) {
    return node.inline ? node.size / BLOCK : (node.size + BLOCK - 1) / BLOCK;
  }

  List<ErofsNode> nodes() {
    return nodes;
  }

  long blocks() {
    return blocks;
  }

  long dataBytes() {
    return dataBytes;
  }
}
