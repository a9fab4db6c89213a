package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.apk.PinnedSource.Pin;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The sections of an APK, of which all but the entries' contents are in memory.
 *
 * <p>Both the signing block and the central directory may have at most 16 MiB. Confined to one
 * thread.
 */
final class ApkFile {
  static final int MAX_SECTION = 16 << 20;
  private static final ByteSlice MAGIC =
      ByteSlice.ofHex("41504b2053696720426c6f636b203432"); // APK Sig Block 42
  private static final int FOOTER = 24;
  private static final int SIZE_FIELD = 8;

  private final ImageSource file;
  private final ZipEnd end;
  private final long tailStart;
  private final ByteSlice tail;
  private final ZipDirectory directory;
  private final List<Pin> pins = new ArrayList<>();

  private ApkFile(
      ImageSource file, ZipEnd end, long tailStart, ByteSlice tail, ZipDirectory directory) {
    this.file = file;
    this.end = end;
    this.tailStart = tailStart;
    this.tail = tail;
    this.directory = directory;
  }

  /** Reads and checks the zip's structure; no signature yet. */
  static ApkFile open(ImageSource file) throws IOException {
    ZipEnd end = ZipEnd.find(file);
    if (end.directorySize() > MAX_SECTION) {
      throw new ApkException(
          ApkError.TOO_LARGE,
          "the central directory may have at most %d bytes but has %d"
              .formatted(MAX_SECTION, end.directorySize()),
          end.directoryOffset());
    }
    long tailStart = end.directoryOffset() - signingBlockSize(file, end.directoryOffset());
    ByteSlice tail = ByteSlice.takeOver(file.readRange(tailStart, (int) (end.end() - tailStart)));
    ByteSlice reread = tail.slice((int) (end.position() - tailStart));
    if (!reread.equals(end.record())) {
      throw new ApkException(
          ApkError.CHANGED, "the file was changed while it was read", end.position());
    }
    ByteSlice directoryBytes =
        tail.slice((int) (end.directoryOffset() - tailStart), (int) (end.position() - tailStart));
    List<ZipEntry> entries = ZipDirectory.parse(directoryBytes, tailStart, end.entries());
    ZipDirectory directory = ZipDirectory.check(file, entries, tailStart);
    return new ApkFile(file, end, tailStart, tail, directory);
  }

  /** The bytes of the signing block, 0 where there is none. */
  private static long signingBlockSize(ImageSource file, long directoryOffset) throws IOException {
    if (directoryOffset < SIZE_FIELD + FOOTER) {
      return 0;
    }
    ByteSlice footer = ByteSlice.takeOver(file.readRange(directoryOffset - FOOTER, FOOTER));
    if (!footer.slice(SIZE_FIELD).equals(MAGIC)) {
      return 0;
    }
    long position = directoryOffset - FOOTER;
    long size = new LittleEndian(footer, position, ApkError.SIGNING_BLOCK).u64("the size");
    if (size < FOOTER || size > directoryOffset - SIZE_FIELD) {
      throw new ApkException(
          ApkError.SIGNING_BLOCK,
          "a signing block of %s bytes does not fit before the central directory"
              .formatted(Long.toUnsignedString(size)),
          position);
    }
    if (size > MAX_SECTION) {
      throw new ApkException(
          ApkError.TOO_LARGE,
          "the signing block may have at most %d bytes but has %d".formatted(MAX_SECTION, size),
          position);
    }
    return size + SIZE_FIELD;
  }

  /** The signing block, where there is one. */
  Optional<SigningBlock> signingBlock() {
    int length = (int) (end.directoryOffset() - tailStart);
    return length == 0
        ? Optional.empty()
        : Optional.of(SigningBlock.parse(tail.slice(0, length), tailStart));
  }

  /** What turns an offset in a slice of the signing block into a position in the file. */
  long base() {
    return tailStart;
  }

  /** The end of the entries, where the signing block or the central directory starts. */
  long bodyLength() {
    return tailStart;
  }

  /** The central directory. */
  ByteSlice directoryBytes() {
    return tail.slice(
        (int) (end.directoryOffset() - tailStart), (int) (end.position() - tailStart));
  }

  /** The end record as it is digested: as if there were no signing block. */
  ByteSlice endForDigest() {
    byte[] record = end.record().toByteArray();
    for (int i = 0; i < 4; i++) {
      record[ZipEnd.OFFSET_FIELD + i] = (byte) (tailStart >> 8 * i);
    }
    return ByteSlice.takeOver(record);
  }

  /** The bytes of the file, with those behind the end record. */
  long size() {
    return file.size();
  }

  /** The entries. */
  ZipDirectory directory() {
    return directory;
  }

  /** The file without what was read from it already. */
  ImageSource file() {
    return file;
  }

  /**
   * Reads and unpacks an entry, whose bytes are the same for {@link #pinned} from now on.
   *
   * @throws ApkException of this error if it is too large or not what the zip says
   */
  ByteSlice read(ZipEntry entry, int maxBytes, ApkError error) throws IOException {
    if (entry.size() > maxBytes || entry.compressedSize() > maxBytes) {
      throw new ApkException(error, entry.name() + " has more than " + maxBytes + " bytes");
    }
    ByteSlice raw = raw(entry);
    return EntryContent.of(entry, raw, error);
  }

  private ByteSlice raw(ZipEntry entry) throws IOException {
    for (Pin pin : pins) {
      if (pin.position() == entry.dataOffset() && pin.bytes().length() == entry.compressedSize()) {
        return pin.bytes();
      }
    }
    ByteSlice raw =
        ByteSlice.takeOver(file.readRange(entry.dataOffset(), (int) entry.compressedSize()));
    pins.add(new Pin(entry.dataOffset(), raw));
    return raw;
  }

  /** The whole file, where sections and entries are those that were read before. */
  ImageSource pinned() {
    List<Pin> all = new ArrayList<>(pins);
    all.add(new Pin(tailStart, tail));
    all.sort(Comparator.comparingLong(Pin::position));
    return new PinnedSource(file, all.toArray(Pin[]::new), end.end());
  }
}
