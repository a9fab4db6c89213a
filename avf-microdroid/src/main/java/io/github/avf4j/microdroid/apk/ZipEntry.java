package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;

/**
 * One file or folder of a package, as the central directory has it. Immutable and thread-safe.
 *
 * @param rawName the bytes of the name
 * @param name the name as text
 * @param flags the general purpose flags
 * @param method 0 for stored, 8 for deflated
 * @param crc the CRC-32 of the content
 * @param compressedSize bytes in the archive
 * @param size bytes of the content
 * @param headerOffset where the local header starts
 * @param position where the central directory's record starts
 * @param dataOffset where the content starts; -1 until the local header was read
 */
public record ZipEntry(
    ByteSlice rawName,
    String name,
    int flags,
    int method,
    long crc,
    long compressedSize,
    long size,
    long headerOffset,
    long position,
    long dataOffset) {
  static final int STORED = 0;
  static final int DEFLATED = 8;
  private static final int HAS_DESCRIPTOR = 1 << 3;

  /** Whether the content stands in the archive as it is. */
  public boolean isStored() {
    return method == STORED;
  }

  boolean hasDescriptor() {
    return (flags & HAS_DESCRIPTOR) != 0;
  }

  boolean isFolder() {
    return name.endsWith("/");
  }

  ZipEntry at(long offset) {
    return new ZipEntry(
        rawName, name, flags, method, crc, compressedSize, size, headerOffset, position, offset);
  }
}
