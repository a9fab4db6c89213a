package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.erofs.ErofsDirectory.Entry;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An EROFS image that is read. Data that is compressed or in chunks is not looked into. Confined to
 * one thread.
 */
public final class ErofsImage {
  private static final int NID_SIZE = 32;
  private static final int MAX_INODES = 1 << 20;
  private static final int MAX_SYMLINK = 4096;

  private final ImageView in;
  private final ErofsSuperblock superblock;

  /**
   * What {@link #verify} saw.
   *
   * @param directories the folders, with the root
   * @param files the regular files; one with several names counts once
   * @param symlinks the symbolic links
   * @param others devices, FIFOs and sockets
   * @param notRead the files whose data was not looked into
   * @param dataBytes the sizes of all regular files
   */
  public record Content(
      long directories, long files, long symlinks, long others, long notRead, long dataBytes) {}

  private record Folder(long nid, long parent) {}

  private ErofsImage(ImageView in, ErofsSuperblock superblock) {
    this.in = in;
    this.superblock = superblock;
  }

  /**
   * Reads and checks the superblock.
   *
   * @throws ImageException if it is damaged
   */
  public static ErofsImage open(ImageSource source) throws IOException {
    ImageView in = new ImageView(ImageFormat.EROFS, source);
    return new ErofsImage(in, ErofsSuperblock.read(in));
  }

  /** The superblock. */
  public ErofsSuperblock superblock() {
    return superblock;
  }

  /** The root folder. */
  public ErofsInode root() throws IOException {
    return inode(superblock.rootNid());
  }

  /**
   * Finds a file by its path from the root, without following symbolic links.
   *
   * @throws ImageException if a folder on the way is damaged
   */
  public Optional<ErofsInode> find(String path) throws IOException {
    ErofsInode inode = root();
    for (String part : path.split("/")) {
      if (part.isEmpty()) {
        continue;
      }
      ErofsName name = ErofsName.of(part);
      if (!inode.isDirectory()) {
        return Optional.empty();
      }
      ErofsInode next = null;
      for (long block = 0; next == null && block < blocksOf(inode); block++) {
        for (Entry entry : entries(inode, block)) {
          if (entry.name().equals(name)) {
            next = inode(entry.nid());
          }
        }
      }
      if (next == null) {
        return Optional.empty();
      }
      inode = next;
    }
    return Optional.of(inode);
  }

  /**
   * The data of an inode.
   *
   * @throws ImageException if it does not lie inside the image, or is compressed or in chunks
   */
  public ImageSource data(ErofsInode inode) throws IOException {
    long at = offset(inode.nid());
    int blockSize = superblock.blockSize();
    if (!inode.isFlat()) {
      throw in.refused("data of layout " + inode.layout() + " cannot be read", at);
    }
    // As Linux has it, the last block is behind the inode even if it is whole.
    long blocks = blocksOf(inode);
    boolean inline = inode.layout() == ErofsInode.Layout.INLINE && inode.size() > 0;
    long inBlocks = inline ? (blocks - 1) * blockSize : inode.size();
    long start = inode.union() * blockSize;
    if (inBlocks > 0) {
      in.requireInside(start, inBlocks, "the data of an inode");
    }
    if (!inline) {
      return ImageView.part(in.source(), inBlocks == 0 ? 0 : start, inBlocks);
    }
    long tail = inode.size() - inBlocks;
    long tailAt = at + inode.tailOffset();
    in.requireInside(tailAt, tail, "the tail of an inode");
    if (tailAt % blockSize + tail > blockSize) {
      throw in.refused("the tail of an inode crosses a block", tailAt);
    }
    return joined(
        ImageView.part(in.source(), inBlocks == 0 ? 0 : start, inBlocks),
        ImageView.part(in.source(), tailAt, tail));
  }

  private static ImageSource joined(ImageSource head, ImageSource tail) {
    return new ImageSource() {
      @Override
      public long size() {
        return head.size() + tail.size();
      }

      @Override
      public void read(long position, byte[] target, int offset, int length) throws IOException {
        requireInside(position, length);
        int first = (int) Math.max(0, Math.min(length, head.size() - position));
        if (first > 0) {
          head.read(position, target, offset, first);
        }
        if (first < length) {
          tail.read(position + first - head.size(), target, offset + first, length - first);
        }
      }
    };
  }

  /**
   * Walks over all folders and checks that everything lies where it may.
   *
   * @throws ImageException if anything is damaged, or there are more than 2^20 inodes
   */
  public Content verify() throws IOException {
    Set<Long> seen = new HashSet<>();
    Deque<Folder> folders = new ArrayDeque<>();
    long[] counts = new long[6];
    long root = superblock.rootNid();
    if (!root().isDirectory()) {
      throw in.refused("the root is no folder", offset(root));
    }
    seen.add(root);
    folders.push(new Folder(root, root));
    while (!folders.isEmpty()) {
      Folder folder = folders.pop();
      counts[0]++;
      verify(folder, folders, seen, counts);
    }
    return new Content(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]);
  }

  private void verify(Folder folder, Deque<Folder> folders, Set<Long> seen, long[] counts)
      throws IOException {
    ErofsInode inode = inode(folder.nid());
    long at = offset(folder.nid());
    ErofsName last = null;
    int dots = 0;
    for (long block = 0; block < blocksOf(inode); block++) {
      for (Entry entry : entries(inode, block)) {
        requireOrder(last, entry.name(), at);
        last = entry.name();
        ErofsInode child = inode(entry.nid());
        if (entry.type() != 0 && entry.type() != child.directoryType()) {
          throw in.refused("a folder says that \"" + entry.name() + "\" is of another type", at);
        }
        if (entry.name().isDots()) {
          dots++;
          if (entry.nid() != (entry.name().isDot() ? folder.nid() : folder.parent())) {
            throw in.refused("\"" + entry.name() + "\" leads to another folder", at);
          }
        } else if (child.isDirectory()) {
          if (!seen.add(entry.nid())) {
            throw in.refused("folder \"" + entry.name() + "\" has two names", at);
          }
          folders.push(new Folder(entry.nid(), folder.nid()));
        } else if (seen.add(entry.nid())) {
          count(child, counts);
        }
        if (seen.size() > MAX_INODES) {
          throw in.refused("more than " + MAX_INODES + " inodes are not read", at);
        }
      }
    }
    if (dots != 2) {
      throw in.refused("a folder lacks \".\" or \"..\"", at);
    }
  }

  private void requireOrder(@Nullable ErofsName last, ErofsName name, long at) {
    if (last != null && last.compareTo(name) >= 0) {
      throw in.refused("\"" + name + "\" comes after \"" + last + "\" in a folder", at);
    }
  }

  private void count(ErofsInode inode, long[] counts) throws IOException {
    counts[inode.isRegular() ? 1 : inode.isSymlink() ? 2 : 3]++;
    if (inode.isSymlink() && inode.size() >= MAX_SYMLINK) {
      throw in.refused("a symbolic link has " + inode.size() + " bytes", offset(inode.nid()));
    }
    if (inode.isRegular() || inode.isSymlink()) {
      if (inode.isFlat()) {
        data(inode);
      } else {
        counts[4]++;
      }
    }
    if (inode.isRegular()) {
      counts[5] += inode.size();
    }
  }

  private long blocksOf(ErofsInode inode) {
    int blockSize = superblock.blockSize();
    return inode.size() / blockSize + (inode.size() % blockSize == 0 ? 0 : 1);
  }

  private List<Entry> entries(ErofsInode folder, long block) throws IOException {
    ImageSource data = data(folder);
    long start = block * superblock.blockSize();
    int length = (int) Math.min(superblock.blockSize(), data.size() - start);
    return ErofsDirectory.parse(in, data.readRange(start, length), offset(folder.nid()));
  }

  private ErofsInode inode(long nid) throws IOException {
    return ErofsInode.read(in, nid, offset(nid), superblock.buildTime());
  }

  private long offset(long nid) {
    long limit = in.size() / NID_SIZE;
    long base = superblock.metaBlock() << superblock.blockBits();
    if (nid < 0 || nid > limit || base > in.size()) {
      throw in.refused(
          "inode %s lies beyond the image".formatted(Long.toUnsignedString(nid)),
          ErofsSuperblock.OFFSET);
    }
    return base + nid * NID_SIZE;
  }
}
