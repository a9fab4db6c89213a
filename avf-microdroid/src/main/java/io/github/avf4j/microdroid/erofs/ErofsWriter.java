package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.Progress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * Writes EROFS images: uncompressed, with blocks of 4096 bytes and a checksum. The same tree makes
 * the same bytes: the UUID comes from the content, and all files have one time.
 *
 * <p>Confined to one thread.
 */
public final class ErofsWriter {
  private static final int PIECE = 1 << 16;
  private static final long NO_BLOCK = 0xffff_ffffL;

  /** The inodes that have no time of their own have that of the superblock. */
  private static final int MTIME_FEATURE = 2;

  private final long mtime;
  private final String label;

  /** Makes a writer of images whose files are of 1970 and which have no label. */
  public ErofsWriter() {
    this(0, "");
  }

  /**
   * Makes a writer.
   *
   * @param mtime of all files, in seconds since 1970, not negative
   * @param label at most 16 bytes
   */
  public ErofsWriter(long mtime, String label) {
    if (mtime < 0) {
      throw new ImageException(ImageFormat.EROFS, "the time must not be negative but is " + mtime);
    }
    if (label.getBytes(StandardCharsets.UTF_8).length > ErofsSuperblock.LABEL
        || label.indexOf('\0') >= 0) {
      throw new ImageException(
          ImageFormat.EROFS, "a label must have at most 16 bytes: \"" + label + '"');
    }
    this.mtime = mtime;
    this.label = label;
  }

  /**
   * Writes an image.
   *
   * @throws ImageException if the tree does not fit into an image
   * @throws IOException if a file cannot be read or changes its length meanwhile, or the image
   *     cannot be written
   */
  public ErofsSuperblock write(ErofsTree tree, Path file, Progress progress) throws IOException {
    // Placing writes to the nodes; a second image starts from where the first one did.
    tree.reset();
    ErofsLayout layout = new ErofsLayout(tree.root());
    ContentId id = new ContentId();
    long done = 0;
    try (AtomicFile out = AtomicFile.create(file)) {
      PositionedOutput meta = new PositionedOutput(out);
      PositionedOutput data = new PositionedOutput(out);
      for (ErofsNode node : layout.nodes()) {
        byte[] inode = inode(node).encode();
        id.add(inode, inode.length);
        meta.seek(node.metaAt);
        meta.write(inode, 0, inode.length);
        data.seek(node.firstBlock * ErofsLayout.BLOCK);
        content(node, meta, data, id, new Counted(progress, done, layout.dataBytes()));
        done += node.size;
      }
      meta.flush();
      data.flush();
      out.extendTo(layout.blocks() * ErofsLayout.BLOCK);
      byte[] options = (mtime + label).getBytes(StandardCharsets.UTF_8);
      id.add(options, options.length);
      ErofsSuperblock superblock = superblock(layout, id.finish());
      writeSuperblock(out, superblock);
      out.commit();
      return superblock;
    }
  }

  private record Counted(Progress progress, long start, long total) {
    void at(long done) {
      progress.at(start + done, total);
    }
  }

  private ErofsInode inode(ErofsNode node) {
    return new ErofsInode(
        node.nid(),
        node.extended,
        node.inline ? ErofsInode.Layout.INLINE : ErofsInode.Layout.PLAIN,
        0,
        node.mode,
        node.links,
        node.size,
        ErofsLayout.dataBlocks(node) == 0 ? NO_BLOCK : node.firstBlock,
        node.number,
        Integer.toUnsignedLong(node.uid),
        Integer.toUnsignedLong(node.gid),
        mtime);
  }

  private static void content(
      ErofsNode node, PositionedOutput meta, PositionedOutput data, ContentId id, Counted progress)
      throws IOException {
    long inBlocks = node.inline ? node.size / ErofsLayout.BLOCK * ErofsLayout.BLOCK : node.size;
    byte[] buffer = new byte[(int) Math.min(PIECE, node.size)];
    try (InputStream in = open(node)) {
      for (long at = 0; at < node.size; ) {
        boolean tail = at >= inBlocks;
        int piece = (int) Math.min(buffer.length, (tail ? node.size : inBlocks) - at);
        if (in.readNBytes(buffer, 0, piece) < piece) {
          throw changed(node);
        }
        id.add(buffer, piece);
        (tail ? meta : data).write(buffer, 0, piece);
        at += piece;
        progress.at(at);
      }
      if (node.source != null && in.read() >= 0) {
        throw changed(node);
      }
    }
  }

  private static IOException changed(ErofsNode node) {
    return new FileSystemException(
        String.valueOf(node.source), null, "changed its length while it was read");
  }

  private static InputStream open(ErofsNode node) throws IOException {
    if (node.source != null) {
      return Files.newInputStream(node.source, LinkOption.NOFOLLOW_LINKS);
    }
    return new ByteArrayInputStream(node.isFolder() ? folder(node) : node.content);
  }

  private static byte[] folder(ErofsNode node) {
    List<ErofsDirectory.Entry> entries =
        node.names().stream().map(name -> entry(name, node.at(name))).toList();
    return ErofsDirectory.encode(entries, ErofsLayout.BLOCK, node.size);
  }

  private static ErofsDirectory.Entry entry(ErofsName name, ErofsNode node) {
    int type =
        switch (node.mode & ErofsInode.FORMAT_MASK) {
          case ErofsInode.DIRECTORY -> 2;
          case ErofsInode.SYMLINK -> 7;
          default -> 1;
        };
    return new ErofsDirectory.Entry(name, node.nid(), type);
  }

  private ErofsSuperblock superblock(ErofsLayout layout, UUID uuid) {
    return new ErofsSuperblock(
        ErofsSuperblock.CHECKSUM_FEATURE | MTIME_FEATURE,
        0,
        ErofsLayout.BLOCK_BITS,
        (int) layout.nodes().get(0).nid(),
        layout.nodes().size(),
        mtime,
        layout.blocks(),
        0,
        uuid,
        label,
        true);
  }

  private static void writeSuperblock(AtomicFile out, ErofsSuperblock superblock)
      throws IOException {
    out.write(ErofsSuperblock.OFFSET, ByteBuffer.wrap(superblock.encode()));
    ByteBuffer block = ByteBuffer.allocate(ErofsLayout.BLOCK - ErofsSuperblock.OFFSET);
    while (block.hasRemaining()) {
      if (out.channel().read(block, ErofsSuperblock.OFFSET + (long) block.position()) < 0) {
        throw new IOException("the image became shorter while it was written");
      }
    }
    ByteBuffer sum = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    sum.putInt(ErofsSuperblock.checksum(block.array())).flip();
    out.write(ErofsSuperblock.OFFSET + 4L, sum);
  }
}
