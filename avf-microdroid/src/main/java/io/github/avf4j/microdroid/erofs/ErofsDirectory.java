package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.microdroid.image.ImageView;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The data of folders: in each block, entries of 12 bytes, then their names; sorted over all
 * blocks.
 */
final class ErofsDirectory {
  static final int ENTRY = 12;

  /** A name in a folder. */
  record Entry(ErofsName name, long nid, int type) {}

  private ErofsDirectory() {}

  /** How many bytes entries with these names, sorted, take. */
  static long size(List<ErofsName> names, int blockSize) {
    long blocks = 0;
    int used = 0;
    for (ErofsName name : names) {
      int need = ENTRY + name.length();
      if (used + need > blockSize) {
        blocks++;
        used = 0;
      }
      used += need;
    }
    return blocks * blockSize + used;
  }

  /** Writes sorted entries; all blocks but the last are filled up with zeros. */
  static byte[] encode(List<Entry> entries, int blockSize, long size) {
    ByteBuffer out = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
    int first = 0;
    for (int block = 0; first < entries.size(); block += blockSize) {
      int end = first;
      int used = 0;
      while (end < entries.size() && used + ENTRY + entries.get(end).name().length() <= blockSize) {
        used += ENTRY + entries.get(end).name().length();
        end++;
      }
      int nameAt = ENTRY * (end - first);
      for (int i = first; i < end; i++) {
        Entry entry = entries.get(i);
        out.position(block + ENTRY * (i - first));
        out.putLong(entry.nid()).putShort((short) nameAt).put((byte) entry.type()).put((byte) 0);
        out.put(block + nameAt, entry.name().bytes());
        nameAt += entry.name().length();
      }
      first = end;
    }
    return out.array();
  }

  /**
   * Reads one block.
   *
   * @param at where the folder's inode is, for messages
   */
  static List<Entry> parse(ImageView in, byte[] block, long at) {
    ByteBuffer bytes = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
    if (block.length < ENTRY) {
      throw in.refused("a block of a folder has " + block.length + " bytes", at);
    }
    int namesAt = Short.toUnsignedInt(bytes.getShort(8));
    if (namesAt < ENTRY || namesAt % ENTRY != 0 || namesAt > block.length) {
      throw in.refused("the names of a folder start at byte " + namesAt + " of a block", at);
    }
    List<Entry> entries = new ArrayList<>();
    for (int entry = 0; entry < namesAt; entry += ENTRY) {
      int start = Short.toUnsignedInt(bytes.getShort(entry + 8));
      int end;
      if (entry + ENTRY < namesAt) {
        end = Short.toUnsignedInt(bytes.getShort(entry + ENTRY + 8));
      } else {
        end = start;
        while (end < block.length && block[end] != 0) {
          end++;
        }
      }
      if (start < namesAt || end < start || end > block.length) {
        throw in.refused("a name is at bytes %d..%d of a block".formatted(start, end), at);
      }
      ErofsName name = new ErofsName(Arrays.copyOfRange(block, start, end));
      String fault = name.fault();
      if (fault != null) {
        throw in.refused(fault, at);
      }
      entries.add(new Entry(name, bytes.getLong(entry), Byte.toUnsignedInt(bytes.get(entry + 10))));
    }
    return entries;
  }
}
