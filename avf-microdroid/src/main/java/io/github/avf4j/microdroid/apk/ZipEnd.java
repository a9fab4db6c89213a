package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;

/**
 * The end-of-central-directory record.
 *
 * <p>One record only may be the end: it closes the file, but for zero bytes, which a block device
 * has after the APK. A second signature in the comment is refused, because another reader could
 * take that one.
 *
 * @param position where the record starts in the file
 * @param record the record with its comment
 * @param entries how many entries there are
 * @param directoryOffset where the central directory starts
 * @param directorySize its bytes
 */
record ZipEnd(
    long position, ByteSlice record, int entries, long directoryOffset, long directorySize) {
  static final int OFFSET_FIELD = 16;
  private static final int SIGNATURE = 0x06054b50;
  private static final int FIXED = 22;
  private static final int MAX_COMMENT = 0xffff;
  private static final int PIECE = 1 << 16;

  long end() {
    return position + record.length();
  }

  static ZipEnd find(ImageSource file) throws IOException {
    long last = lastNonZero(file);
    long from = Math.max(0, last + 1 - FIXED - MAX_COMMENT);
    // A comment may end in zeros, and so do the fields of a record without one.
    long to = Math.min(file.size(), last + 1 + FIXED + MAX_COMMENT);
    ByteSlice window = ByteSlice.takeOver(file.readRange(from, (int) (to - from)));
    int found = -1;
    for (int at = 0; at + FIXED <= window.length(); at++) {
      if (!isSignature(window, at)) {
        continue;
      }
      long end = from + at + FIXED + (window.at(at + 20) | window.at(at + 21) << 8);
      boolean closes = end > last && end <= file.size();
      if (found >= 0) {
        throw new ApkException(
            ApkError.AMBIGUOUS_END, "a second end record stands inside the first one", from + at);
      }
      if (closes) {
        found = at;
      }
    }
    if (found < 0) {
      throw new ApkException(
          ApkError.NOT_A_ZIP, "no end-of-central-directory record closes the file", last);
    }
    return parse(window, found, from);
  }

  private static ZipEnd parse(ByteSlice window, int at, long base) {
    LittleEndian in = new LittleEndian(window.slice(at), base, ApkError.ZIP_LAYOUT);
    in.u32("the signature");
    int disk = in.u16("the disk");
    int directoryDisk = in.u16("the directory's disk");
    int here = in.u16("the entries of this disk");
    int entries = in.u16("the entries");
    long size = in.u32("the directory's size");
    long offset = in.u32("the directory's offset");
    int comment = in.u16("the comment's length");
    long position = base + at;
    if (entries == 0xffff || here == 0xffff || size == 0xffffffffL || offset == 0xffffffffL) {
      throw new ApkException(
          ApkError.ZIP64, "the end record refers to ZIP64, which an APK cannot use", position);
    }
    if (disk != 0 || directoryDisk != 0 || here != entries) {
      throw new ApkException(ApkError.ZIP_LAYOUT, "the zip is split over several disks", position);
    }
    if (offset + size != position) {
      throw new ApkException(
          ApkError.ZIP_LAYOUT,
          "the central directory at %d with %d bytes does not end where the end record starts"
              .formatted(offset, size),
          position);
    }
    ByteSlice record = window.slice(at, at + FIXED + comment);
    return new ZipEnd(position, record, entries, offset, size);
  }

  private static boolean isSignature(ByteSlice window, int at) {
    return window.at(at) == 'P'
        && window.at(at + 1) == 'K'
        && window.at(at + 2) == (SIGNATURE >> 16 & 0xff)
        && window.at(at + 3) == SIGNATURE >> 24;
  }

  private static long lastNonZero(ImageSource file) throws IOException {
    byte[] piece = new byte[PIECE];
    for (long end = file.size(); end > 0; ) {
      int length = (int) Math.min(PIECE, end);
      file.read(end - length, piece, 0, length);
      for (int i = length - 1; i >= 0; i--) {
        if (piece[i] != 0) {
          return end - length + i;
        }
      }
      end -= length;
    }
    throw new ApkException(ApkError.NOT_A_ZIP, "the file has no bytes but zeros");
  }
}
