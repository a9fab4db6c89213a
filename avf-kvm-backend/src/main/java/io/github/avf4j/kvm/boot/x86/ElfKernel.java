package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.kvm.boot.ImageFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;

/**
 * An ELF executable as a kernel: its segments by physical address and its entries. A 64-bit one may
 * have a PVH entry, a 32-bit one must. Nothing of it is trusted: every offset is checked against
 * the file. Thread-safe.
 *
 * @param segments what is to be loaded, by ascending address, not overlapping
 * @param entry the entry point in the ELF header
 * @param pvhEntry the 32-bit entry of PVH, if there is one
 */
record ElfKernel(List<Segment> segments, long entry, OptionalLong pvhEntry) {
  private static final int MOST_SEGMENTS = 64;
  private static final int PT_LOAD = 1;
  private static final int PT_NOTE = 4;
  private static final int EM_386 = 3;
  private static final int EM_X86_64 = 62;
  private static final int XEN_ELFNOTE_PHYS32_ENTRY = 18;
  private static final int XEN_NAME = 'X' | 'e' << 8 | 'n' << 16; // "Xen" and its NUL
  private static final String AGAIN = ": the file is truncated or damaged, fetch or build it again";

  /** A part of the file and where it goes; {@code memorySize - fileSize} zeros follow it. */
  record Segment(int offset, int fileSize, long address, long memorySize) {
    long end() {
      return address + memorySize;
    }
  }

  /** A program header as it is in the file. */
  private record Header(int type, long offset, long address, long fileSize, long memorySize) {}

  static boolean isElf(ImageFile file) {
    return file.size() >= 4 && file.bytes().getInt(0) == 0x464C457F; // 0x7F "ELF"
  }

  /**
   * Reads the headers.
   *
   * @throws InvalidImageException if it is damaged or not for this processor
   */
  static ElfKernel parse(ImageFile file) {
    ByteBuffer b = file.bytes();
    if (file.size() < 64) {
      throw file.invalid("ends inside its ELF header" + AGAIN);
    }
    boolean wide = b.get(4) == 2;
    int machine = Short.toUnsignedInt(b.getShort(18));
    if (b.get(5) != 1 || machine != (wide ? EM_X86_64 : EM_386)) {
      throw file.invalid(
          "is an ELF file for another processor (machine "
              + machine
              + "): give a kernel for x86-64");
    }
    List<Segment> segments = new ArrayList<>();
    OptionalLong pvh = OptionalLong.empty();
    for (Header header : headers(file, wide)) {
      if (header.type() == PT_LOAD && header.memorySize() != 0) {
        segments.add(segment(file, header));
      } else if (header.type() == PT_NOTE && pvh.isEmpty()) {
        pvh = pvhEntry(file, header);
      }
    }
    segments.sort(Comparator.comparingLong(Segment::address));
    for (int i = 1; i < segments.size(); i++) {
      if (segments.get(i - 1).end() > segments.get(i).address()) {
        throw file.invalid("has segments that overlap" + AGAIN);
      }
    }
    if (segments.isEmpty()) {
      throw file.invalid("has nothing to load: give an executable kernel");
    }
    if (!wide && pvh.isEmpty()) {
      throw file.invalid(
          "is a 32-bit ELF file without a PVH entry: give a 64-bit kernel or one with PVH");
    }
    long entry = wide ? b.getLong(24) : Integer.toUnsignedLong(b.getInt(24));
    ElfKernel kernel = new ElfKernel(List.copyOf(segments), entry, pvh);
    if (!kernel.contains(pvh.orElse(entry))) {
      throw file.invalid(
          "has its entry 0x"
              + Long.toHexString(pvh.orElse(entry))
              + " outside of what it loads: link it so that the entry is a physical address");
    }
    return kernel;
  }

  private static List<Header> headers(ImageFile file, boolean wide) {
    ByteBuffer b = file.bytes();
    long table = wide ? b.getLong(32) : Integer.toUnsignedLong(b.getInt(28));
    int entrySize = Short.toUnsignedInt(b.getShort(wide ? 54 : 42));
    int count = Short.toUnsignedInt(b.getShort(wide ? 56 : 44));
    if (entrySize != (wide ? 56 : 32) || count == 0 || count > MOST_SEGMENTS) {
      throw file.invalid(
          "has "
              + count
              + " program headers of "
              + entrySize
              + " bytes: give an executable kernel");
    }
    if (!inside(file, table, (long) count * entrySize)) {
      throw file.invalid("ends before its program headers" + AGAIN);
    }
    List<Header> headers = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int at = (int) table + i * entrySize;
      headers.add(
          wide
              ? new Header(
                  b.getInt(at),
                  b.getLong(at + 8),
                  b.getLong(at + 24),
                  b.getLong(at + 32),
                  b.getLong(at + 40))
              : new Header(
                  b.getInt(at),
                  Integer.toUnsignedLong(b.getInt(at + 4)),
                  Integer.toUnsignedLong(b.getInt(at + 12)),
                  Integer.toUnsignedLong(b.getInt(at + 16)),
                  Integer.toUnsignedLong(b.getInt(at + 20))));
    }
    return headers;
  }

  private static Segment segment(ImageFile file, Header h) {
    if (!inside(file, h.offset(), h.fileSize())) {
      throw file.invalid("ends before the end of a segment" + AGAIN);
    }
    if (h.memorySize() < h.fileSize()) {
      throw file.invalid("has a segment that is larger in the file than in memory" + AGAIN);
    }
    if (h.address() < Layout.HIGH_MEMORY) {
      throw file.invalid(
          "loads a segment at 0x"
              + Long.toHexString(h.address())
              + ": link it to physical addresses of 0x100000 and above");
    }
    if (h.address() > Layout.HOLE || h.memorySize() > Layout.HOLE - h.address()) {
      throw file.invalid(
          "loads a segment at 0x"
              + Long.toHexString(h.address())
              + " that ends above 3 GiB: link it to lower physical addresses");
    }
    return new Segment((int) h.offset(), (int) h.fileSize(), h.address(), h.memorySize());
  }

  private static OptionalLong pvhEntry(ImageFile file, Header h) {
    if (!inside(file, h.offset(), h.fileSize())) {
      throw file.invalid("ends before the end of its notes" + AGAIN);
    }
    ByteBuffer b = file.bytes();
    long at = h.offset();
    long end = at + h.fileSize();
    while (at + 12 <= end) {
      long nameSize = Integer.toUnsignedLong(b.getInt((int) at));
      long size = Integer.toUnsignedLong(b.getInt((int) at + 4));
      int type = b.getInt((int) at + 8);
      long name = at + 12;
      long descriptor = name + (nameSize + 3 & -4);
      if (descriptor + size > end) {
        return OptionalLong.empty();
      }
      if (type == XEN_ELFNOTE_PHYS32_ENTRY
          && nameSize == 4
          && b.getInt((int) name) == XEN_NAME
          && (size == 4 || size == 8)) {
        return OptionalLong.of(Integer.toUnsignedLong(b.getInt((int) descriptor)));
      }
      at = descriptor + (size + 3 & -4);
    }
    return OptionalLong.empty();
  }

  private static boolean inside(ImageFile file, long offset, long length) {
    return offset >= 0 && length >= 0 && offset <= file.size() - length;
  }

  private boolean contains(long address) {
    return segments.stream().anyMatch(s -> address >= s.address() && address < s.end());
  }

  /** Returns the end of the highest segment. */
  long end() {
    return segments.get(segments.size() - 1).end();
  }

  /** Puts the segments into RAM, which has room for them. */
  void load(ImageFile file, MachineMemory memory) {
    for (Segment segment : segments) {
      file.load(memory.ram(), segment.offset(), segment.address(), segment.fileSize());
    }
  }
}
