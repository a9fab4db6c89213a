package io.github.avf4j.microdroid.java;

import io.github.avf4j.microdroid.GuestArchitecture;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads the names of the shared libraries that an ELF file for this host needs.
 *
 * @see <a href="https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html">System V ABI,
 *     Dynamic Linking</a>
 */
final class ElfLibraries {
  private static final int HEADER = 64;
  private static final int PROGRAM_HEADER = 56;
  private static final int ENTRY = 16;
  private static final int PT_LOAD = 1;
  private static final int PT_DYNAMIC = 2;
  private static final int DT_NULL = 0;
  private static final int DT_NEEDED = 1;
  private static final int DT_STRTAB = 5;
  private static final int MAX_NAME = 255;

  private final ByteBuffer file;

  private ElfLibraries(ByteBuffer file) {
    this.file = file;
  }

  /**
   * The names, in their order; empty if it is no such file, or damaged.
   *
   * @throws IOException if it cannot be read
   */
  static Optional<List<String>> neededBy(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      if (channel.size() < HEADER || channel.size() > Integer.MAX_VALUE) {
        return Optional.empty();
      }
      ByteBuffer file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      file.order(ByteOrder.LITTLE_ENDIAN);
      if (file.getInt(0) != 0x464c457f
          || file.get(4) != 2
          || file.get(5) != 1
          || file.getShort(18) != GuestArchitecture.host().elfMachine()) {
        return Optional.empty();
      }
      return Optional.of(new ElfLibraries(file).needed());
    } catch (IndexOutOfBoundsException | ArithmeticException e) {
      return Optional.empty();
    }
  }

  private List<String> needed() {
    List<Long> names = new ArrayList<>();
    int table = -1;
    int header = programHeader(PT_DYNAMIC, -1);
    if (header < 0) {
      return List.of();
    }
    int start = Math.toIntExact(file.getLong(header + 8));
    int size = Math.toIntExact(file.getLong(header + 32));
    for (int at = start; at <= start + size - ENTRY; at += ENTRY) {
      long tag = file.getLong(at);
      if (tag == DT_NULL) {
        break;
      } else if (tag == DT_NEEDED) {
        names.add(file.getLong(at + 8));
      } else if (tag == DT_STRTAB) {
        table = offsetOf(file.getLong(at + 8));
      }
    }
    List<String> needed = new ArrayList<>();
    for (long name : names) {
      needed.add(text(Math.addExact(table, Math.toIntExact(name))));
    }
    return needed;
  }

  /** The header of this type, whose segment has the address unless that is negative. */
  private int programHeader(int type, long address) {
    int first = Math.toIntExact(file.getLong(32));
    int count = Short.toUnsignedInt(file.getShort(56));
    for (int i = 0; i < count; i++) {
      int at = Math.addExact(first, i * PROGRAM_HEADER);
      long start = file.getLong(at + 16);
      if (file.getInt(at) == type
          && (address < 0 || address >= start && address - start < file.getLong(at + 32))) {
        return at;
      }
    }
    return -1;
  }

  private int offsetOf(long address) {
    int header = programHeader(PT_LOAD, address);
    return Math.toIntExact(file.getLong(header + 8) + address - file.getLong(header + 16));
  }

  private String text(int at) {
    byte[] bytes = new byte[MAX_NAME];
    int length = 0;
    for (byte value = file.get(at); value != 0; value = file.get(at + length)) {
      bytes[length++] = value;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
