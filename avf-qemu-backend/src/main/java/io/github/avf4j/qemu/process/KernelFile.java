package io.github.avf4j.qemu.process;

import io.github.avf4j.InvalidImageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds out whether QEMU's microvm can boot a kernel file: a bzImage, or an ELF with a PVH entry.
 * Thread-safe.
 */
final class KernelFile {
  private static final int HEADER_SIZE = 1024;
  private static final int ELF_MAGIC = 0x464c457f;
  private static final int BZIMAGE_MAGIC = 0x53726448;
  private static final int BZIMAGE_MAGIC_OFFSET = 0x202;
  private static final int ELF_64 = 2;
  private static final int ELF_LITTLE_ENDIAN = 1;
  private static final int MACHINE_X86_64 = 62;
  private static final int SEGMENT_NOTE = 4;
  private static final int NOTE_PVH_ENTRY = 18;
  private static final int MAX_SEGMENTS = 128;
  private static final int MAX_NOTES = 64 << 10;

  private KernelFile() {}

  /**
   * Checks {@code kernel}.
   *
   * @throws InvalidImageException if QEMU cannot boot it
   */
  static void requireBootable(Path kernel) {
    requireReadable("kernel", kernel);
    try (FileChannel file = FileChannel.open(kernel)) {
      ByteBuffer header = read(file, 0, HEADER_SIZE);
      if (header.limit() >= 64 && header.getInt(0) == ELF_MAGIC) {
        requirePvh(kernel, file, header);
      } else if (header.limit() < BZIMAGE_MAGIC_OFFSET + 4
          || header.getInt(BZIMAGE_MAGIC_OFFSET) != BZIMAGE_MAGIC) {
        throw new InvalidImageException(
            "the kernel "
                + kernel
                + " is neither an ELF nor a bzImage: give an x86-64 Linux kernel");
      }
    } catch (IOException e) {
      throw new InvalidImageException("the kernel " + kernel + " cannot be read: " + e, e);
    }
  }

  /** Rejects what is not a readable regular file. */
  static void requireReadable(String what, Path file) {
    if (!Files.isRegularFile(file)) {
      throw new InvalidImageException(
          "the " + what + " " + file + " is not a regular file: check the path");
    }
    if (!Files.isReadable(file)) {
      throw new InvalidImageException(
          "the " + what + " " + file + " cannot be read: give this user access to it");
    }
  }

  private static void requirePvh(Path kernel, FileChannel file, ByteBuffer header)
      throws IOException {
    if (header.get(4) != ELF_64
        || header.get(5) != ELF_LITTLE_ENDIAN
        || header.getShort(18) != MACHINE_X86_64) {
      throw new InvalidImageException(
          "the kernel " + kernel + " is no ELF for x86-64: give an x86-64 kernel");
    }
    long tableOffset = header.getLong(32);
    int entrySize = header.getShort(54) & 0xffff;
    int count = Math.min(header.getShort(56) & 0xffff, MAX_SEGMENTS);
    if (entrySize >= 56 && tableOffset > 0 && tableOffset < file.size()) {
      ByteBuffer table = read(file, tableOffset, entrySize * count);
      for (int at = 0; at + entrySize <= table.limit(); at += entrySize) {
        if (table.getInt(at) == SEGMENT_NOTE
            && hasPvhNote(file, table.getLong(at + 8), table.getLong(at + 32))) {
          return;
        }
      }
    }
    throw new InvalidImageException(
        "the kernel "
            + kernel
            + " is an ELF without a PVH entry, which QEMU cannot boot: give the kernel's bzImage"
            + " (vmlinuz), build it with CONFIG_PVH, or use the kvm backend");
  }

  private static boolean hasPvhNote(FileChannel file, long offset, long size) throws IOException {
    if (offset < 0 || offset >= file.size() || size < 0) {
      return false;
    }
    ByteBuffer notes = read(file, offset, (int) Math.min(size, MAX_NOTES));
    byte[] owner = "Xen\0".getBytes(StandardCharsets.US_ASCII);
    int at = 0;
    while (at <= notes.limit() - 12) {
      long nameSize = Integer.toUnsignedLong(notes.getInt(at));
      long contentSize = Integer.toUnsignedLong(notes.getInt(at + 4));
      if (notes.getInt(at + 8) == NOTE_PVH_ENTRY
          && nameSize == owner.length
          && at + 12 + owner.length <= notes.limit()
          && notes.slice(at + 12, owner.length).equals(ByteBuffer.wrap(owner))) {
        return true;
      }
      long next = at + 12 + align(nameSize) + align(contentSize);
      if (next > notes.limit()) {
        return false;
      }
      at = (int) next;
    }
    return false;
  }

  private static long align(long size) {
    return (size + 3) & ~3L;
  }

  private static ByteBuffer read(FileChannel file, long offset, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining() && file.read(bytes, offset + bytes.position()) > 0) {
      // until the buffer is full or the file ends
    }
    return bytes.flip();
  }
}
