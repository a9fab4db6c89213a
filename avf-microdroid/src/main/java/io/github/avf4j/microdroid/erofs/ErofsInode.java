package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An inode. Immutable and thread-safe.
 *
 * @param nid its place, in units of 32 bytes
 * @param extended whether it has 64 bytes instead of 32
 * @param layout how its data is stored
 * @param xattrSize the bytes of its attributes, which follow it
 * @param mode type and permissions, as {@code st_mode}
 * @param links how many names it has
 * @param size of its data, in bytes
 * @param union the first block of its data, or what else the layout has there
 * @param number its inode number
 * @param uid its owner
 * @param gid its group
 * @param mtime seconds since 1970
 */
public record ErofsInode(
    long nid,
    boolean extended,
    Layout layout,
    int xattrSize,
    int mode,
    long links,
    long size,
    long union,
    long number,
    long uid,
    long gid,
    long mtime) {
  static final int COMPACT_SIZE = 32;
  static final int EXTENDED_SIZE = 64;
  static final int FORMAT_MASK = 0170000;
  static final int DIRECTORY = 0040000;
  static final int REGULAR = 0100000;
  static final int SYMLINK = 0120000;

  /** How data is stored; in the order of its numbers. */
  public enum Layout {
    /** In blocks one after the other. */
    PLAIN,
    /** Compressed, with a full index. */
    COMPRESSED_FULL,
    /** As plain, with what fills no block behind the inode. */
    INLINE,
    /** Compressed, with a compact index. */
    COMPRESSED_COMPACT,
    /** In chunks anywhere. */
    CHUNKED
  }

  /** Whether it is a folder. */
  public boolean isDirectory() {
    return (mode & FORMAT_MASK) == DIRECTORY;
  }

  /** Whether it is a regular file. */
  public boolean isRegular() {
    return (mode & FORMAT_MASK) == REGULAR;
  }

  /** Whether it is a symbolic link. */
  public boolean isSymlink() {
    return (mode & FORMAT_MASK) == SYMLINK;
  }

  /** Whether its data can be read here. */
  public boolean isFlat() {
    return layout == Layout.PLAIN || layout == Layout.INLINE;
  }

  /** The number that folders give to its type. */
  int directoryType() {
    return switch (mode & FORMAT_MASK) {
      case REGULAR -> 1;
      case DIRECTORY -> 2;
      case 0020000 -> 3;
      case 0060000 -> 4;
      case 0010000 -> 5;
      case 0140000 -> 6;
      case SYMLINK -> 7;
      default -> 0;
    };
  }

  /** Where what follows inode and attributes is, relative to the inode. */
  int tailOffset() {
    return (extended ? EXTENDED_SIZE : COMPACT_SIZE) + xattrSize;
  }

  /** Reads an inode at a byte of the image. */
  static ErofsInode read(ImageView in, long nid, long at, long buildTime) throws IOException {
    ByteBuffer first = in.read(at, COMPACT_SIZE, "an inode");
    int format = Short.toUnsignedInt(first.getShort(0));
    int layout = format >> 1 & 7;
    if (layout >= Layout.values().length) {
      throw in.refused("layout " + layout + " of an inode is unknown", at);
    }
    boolean extended = (format & 1) != 0;
    int attributes = Short.toUnsignedInt(first.getShort(2));
    int xattrSize = attributes == 0 ? 0 : 12 + 4 * (attributes - 1);
    int mode = Short.toUnsignedInt(first.getShort(4));
    ErofsInode inode;
    if (extended) {
      ByteBuffer all = in.read(at, EXTENDED_SIZE, "an inode");
      inode =
          new ErofsInode(
              nid,
              true,
              Layout.values()[layout],
              xattrSize,
              mode,
              Integer.toUnsignedLong(all.getInt(44)),
              all.getLong(8),
              Integer.toUnsignedLong(all.getInt(16)),
              Integer.toUnsignedLong(all.getInt(20)),
              Integer.toUnsignedLong(all.getInt(24)),
              Integer.toUnsignedLong(all.getInt(28)),
              all.getLong(32));
    } else {
      inode =
          new ErofsInode(
              nid,
              false,
              Layout.values()[layout],
              xattrSize,
              mode,
              Short.toUnsignedLong(first.getShort(6)),
              Integer.toUnsignedLong(first.getInt(8)),
              Integer.toUnsignedLong(first.getInt(16)),
              Integer.toUnsignedLong(first.getInt(20)),
              Short.toUnsignedLong(first.getShort(24)),
              Short.toUnsignedLong(first.getShort(26)),
              buildTime);
    }
    if (inode.size() < 0 || inode.directoryType() == 0) {
      throw in.refused(
          "an inode has the size %d and the mode 0%o".formatted(inode.size(), mode), at);
    }
    return inode;
  }

  byte[] encode() {
    ByteBuffer out =
        ByteBuffer.allocate(extended ? EXTENDED_SIZE : COMPACT_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    out.putShort((short) (layout.ordinal() << 1 | (extended ? 1 : 0))).putShort((short) 0);
    out.putShort((short) mode);
    if (extended) {
      out.putShort((short) 0).putLong(size);
      out.putInt((int) union).putInt((int) number).putInt((int) uid).putInt((int) gid);
      out.putLong(mtime).putInt(0).putInt((int) links);
    } else {
      out.putShort((short) links).putInt((int) size).putInt(0);
      out.putInt((int) union).putInt((int) number).putShort((short) uid).putShort((short) gid);
    }
    return out.array();
  }
}
