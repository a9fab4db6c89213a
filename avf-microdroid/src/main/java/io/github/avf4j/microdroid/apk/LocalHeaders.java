package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;

/** Holds the local headers against the central directory. Confined to one thread. */
final class LocalHeaders {
  private static final long SIGNATURE = 0x04034b50L;
  private static final long DESCRIPTOR_SIGNATURE = 0x08074b50L;
  private static final int FIXED = 30;
  private static final int DESCRIPTOR = 12;

  private final ImageSource file;
  private final long bodyLength;

  LocalHeaders(ImageSource file, long bodyLength) {
    this.file = file;
    this.bodyLength = bodyLength;
  }

  /** Finds where the content starts; refuses a header that says something else. */
  ZipEntry place(ZipEntry entry) throws IOException {
    long start = entry.headerOffset();
    int length = FIXED + entry.rawName().length();
    requireBody(entry, start, length);
    LittleEndian in = read(start, length);
    if (in.u32("the signature") != SIGNATURE) {
      throw wrong(entry, "does not start with its signature");
    }
    in.u16("the version");
    int flags = in.u16("the flags");
    int method = in.u16("the method");
    in.u32("the time");
    long crc = in.u32("the checksum");
    long compressed = in.u32("the compressed size");
    long size = in.u32("the size");
    int nameLength = in.u16("the length of the name");
    int extraLength = in.u16("the length of the extra field");
    boolean later = (flags & 1 << 3) != 0;
    if (later != entry.hasDescriptor() || method != entry.method()) {
      throw wrong(entry, "has other flags or another method than the central directory");
    }
    boolean open = later && crc == 0 && compressed == 0 && size == 0;
    boolean same =
        crc == entry.crc() && compressed == entry.compressedSize() && size == entry.size();
    if (!open && !same) {
      throw wrong(entry, "has another size or checksum than the central directory");
    }
    if (nameLength != entry.rawName().length()
        || !in.take(nameLength, "the name").equals(entry.rawName())) {
      throw wrong(entry, "has another name than the central directory");
    }
    long data = start + length + extraLength;
    requireBody(entry, data, entry.compressedSize());
    return entry.at(data);
  }

  /** Where the entry ends, with the descriptor that may follow it. */
  long end(ZipEntry entry) throws IOException {
    long end = entry.dataOffset() + entry.compressedSize();
    if (!entry.hasDescriptor()) {
      return end;
    }
    requireBody(entry, end, DESCRIPTOR);
    int length = (int) Math.min(DESCRIPTOR + 4, bodyLength - end);
    LittleEndian in = read(end, length);
    long first = in.u32("the first field");
    long crc = first;
    int used = DESCRIPTOR;
    // The signature is optional, and nothing keeps a checksum from looking like it.
    if (first == DESCRIPTOR_SIGNATURE && length == DESCRIPTOR + 4) {
      LittleEndian bare = read(end, length);
      if (!describes(entry, bare.u32("the checksum"), bare)) {
        crc = in.u32("the checksum");
        used += 4;
      }
    }
    if (!describes(entry, crc, in)) {
      throw new ApkException(
          ApkError.LOCAL_HEADER,
          "the descriptor after %s has another size or checksum than the central directory"
              .formatted(entry.name()),
          end);
    }
    return end + used;
  }

  private static boolean describes(ZipEntry entry, long crc, LittleEndian in) {
    return crc == entry.crc()
        && in.u32("the compressed size") == entry.compressedSize()
        && in.u32("the size") == entry.size();
  }

  private LittleEndian read(long position, int length) throws IOException {
    return new LittleEndian(
        ByteSlice.takeOver(file.readRange(position, length)), position, ApkError.LOCAL_HEADER);
  }

  private void requireBody(ZipEntry entry, long position, long length) {
    if (position > bodyLength || length > bodyLength - position) {
      throw new ApkException(
          ApkError.OVERLAPPING_ENTRIES,
          "%s reaches beyond the end of the entries at %d".formatted(entry.name(), bodyLength),
          entry.position());
    }
  }

  private static ApkException wrong(ZipEntry entry, String what) {
    return new ApkException(
        ApkError.LOCAL_HEADER,
        "the local header of %s %s".formatted(entry.name(), what),
        entry.headerOffset());
  }
}
