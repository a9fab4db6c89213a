package io.github.avf4j.microdroid.payload;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.GuestArchitecture;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Tells a static executable for the guest from what the guest's kernel would refuse.
 *
 * @see <a href="https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html">System V ABI, Object
 *     Files</a>
 */
final class PayloadExecutable {
  /** How many bytes from the start must be looked at: ELF header and program headers. */
  static final int HEAD = 1 << 16;

  private static final String ADVICE =
      ": link it statically, for example with -static or -C target-feature=+crt-static";

  private static final int HEADER = 64;
  private static final int PROGRAM_HEADER = 56;
  private static final int ET_EXEC = 2;
  private static final int ET_DYN = 3;
  private static final int PT_LOAD = 1;
  private static final int PT_INTERP = 3;

  private PayloadExecutable() {}

  /**
   * Checks an executable.
   *
   * @param head its first bytes, {@link #HEAD} of them if it has as many
   * @param size its length
   * @param guest what it must be for
   * @throws InvalidImageException if it is no static executable for the guest
   */
  static void check(Path file, byte[] head, long size, GuestArchitecture guest) {
    ByteBuffer elf = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
    if (head.length < 4 || elf.getInt(0) != 0x464c457f) {
      throw invalid(file, "is no ELF executable" + script(head) + ADVICE);
    }
    if (head.length < HEADER) {
      throw invalid(file, "is truncated: build it again");
    }
    int machine = Short.toUnsignedInt(elf.getShort(0x12));
    if (elf.get(4) != 2 || elf.get(5) != 1 || machine != guest.elfMachine()) {
      throw invalid(
          file,
          "is for %s but the guest is 64-bit %s: build it for %s-unknown-linux"
              .formatted(GuestArchitecture.nameOfElfMachine(machine), guest, guest.linuxName()));
    }
    int type = Short.toUnsignedInt(elf.getShort(0x10));
    if (type != ET_EXEC && type != ET_DYN) {
      throw invalid(file, "is an ELF file but no executable (type " + type + ")" + ADVICE);
    }
    checkSegments(file, elf, size);
  }

  private static void checkSegments(Path file, ByteBuffer elf, long size) {
    long offset = elf.getLong(0x20);
    int entry = Short.toUnsignedInt(elf.getShort(0x36));
    int count = Short.toUnsignedInt(elf.getShort(0x38));
    if (entry != PROGRAM_HEADER
        || offset < 0
        || offset > elf.limit() - (long) count * PROGRAM_HEADER) {
      throw invalid(file, "has no program headers where they should be: build it again");
    }
    boolean loads = false;
    for (int i = 0; i < count; i++) {
      int header = (int) offset + i * PROGRAM_HEADER;
      int type = elf.getInt(header);
      if (type == PT_INTERP) {
        throw invalid(file, "is linked dynamically, but the guest has no libraries" + ADVICE);
      }
      if (type == PT_LOAD) {
        loads = true;
        long start = elf.getLong(header + 0x08);
        long length = elf.getLong(header + 0x20);
        if (start < 0 || length < 0 || start > size - length) {
          throw invalid(file, "is truncated: build it again");
        }
      }
    }
    if (!loads) {
      throw invalid(file, "has nothing to load: build it again");
    }
  }

  private static String script(byte[] head) {
    return head.length > 2 && head[0] == '#' && head[1] == '!' ? " but a script" : "";
  }

  private static InvalidImageException invalid(Path file, String what) {
    return new InvalidImageException("the payload " + file + ' ' + what);
  }
}
