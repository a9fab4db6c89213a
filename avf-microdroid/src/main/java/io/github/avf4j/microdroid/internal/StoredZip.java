package io.github.avf4j.microdroid.internal;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.Progress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import java.util.zip.CRC32;

/**
 * Writes a zip whose entries are stored and all of one time, so that the same input makes the same
 * bytes. Confined to one thread.
 */
public final class StoredZip {
  private static final int LOCAL = 0x04034b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int END = 0x06054b50;
  private static final int LOCAL_SIZE = 30;
  private static final int CENTRAL_SIZE = 46;

  /** What local header and central record have in common, up to the name. */
  private static final int FIELDS_SIZE = 22;

  private static final int END_SIZE = 22;
  private static final short VERSION = 20;

  /** Says that names are in UTF-8, of which ASCII needs no word. */
  private static final short UTF8 = 1 << 11;

  /** 1 January 1980, the first day that a zip knows. */
  private static final short DATE = 1 << 5 | 1;

  /** The extra field by which Android's signers keep an alignment: a multiple, then zeros. */
  private static final short ALIGNMENT = (short) 0xd935;

  private static final int ALIGNMENT_SIZE = 6;
  private static final int PIECE = 1 << 16;
  private static final long MAX_OFFSET = 0xffff_fffeL;

  private static final int MAX_ENTRIES = 0xfffe;

  private final FileChannel out;
  private final Function<String, ? extends RuntimeException> refusal;
  private final ByteArrayOutputStream directory = new ByteArrayOutputStream();
  private int entries;
  private long position;

  /**
   * Starts a zip.
   *
   * @param out an empty file, which the caller closes
   * @param refusal makes what is thrown when a zip cannot hold what it is given
   */
  public StoredZip(FileChannel out, Function<String, ? extends RuntimeException> refusal) {
    this.out = out;
    this.refusal = refusal;
  }

  /**
   * Adds an entry.
   *
   * @param name unlike that of any other entry, which the caller checks
   * @param alignment of the content; 1 for any
   */
  public void add(String name, ImageSource content, int alignment, Progress progress)
      throws IOException {
    byte[] rawName = name.getBytes(StandardCharsets.UTF_8);
    byte[] extra = alignment == 1 ? new byte[0] : extra(rawName.length, alignment);
    long dataAt = position + LOCAL_SIZE + rawName.length + extra.length;
    if (dataAt + content.size() > MAX_OFFSET) {
      throw refusal.apply(
          "a package has less than 4 GiB, which %s of %d bytes does not leave it"
              .formatted(name, content.size()));
    }
    if (entries == MAX_ENTRIES) {
      throw refusal.apply("a package has at most " + MAX_ENTRIES + " files");
    }
    long crc = copy(content, dataAt, progress);
    short flags = rawName.length == name.length() ? 0 : UTF8;
    ByteBuffer fields = buffer(FIELDS_SIZE);
    fields.putShort(VERSION).putShort(flags).putShort((short) 0).putShort((short) 0);
    fields.putShort(DATE).putInt((int) crc).putInt((int) content.size());
    fields.putInt((int) content.size());
    ByteBuffer local = buffer(LOCAL_SIZE + rawName.length + extra.length);
    local.putInt(LOCAL).put(fields.array());
    local.putShort((short) rawName.length).putShort((short) extra.length).put(rawName).put(extra);
    write(position, local.array());
    ByteBuffer record = buffer(CENTRAL_SIZE + rawName.length);
    record.putInt(CENTRAL).putShort(VERSION).put(fields.array()).putShort((short) rawName.length);
    record.position(record.position() + 12);
    record.putInt((int) position).put(rawName);
    directory.writeBytes(record.array());
    entries++;
    position = dataAt + content.size();
  }

  private byte[] extra(int nameLength, int alignment) {
    long bare = position + LOCAL_SIZE + nameLength + ALIGNMENT_SIZE;
    int padding = (int) ((alignment - bare % alignment) % alignment);
    return buffer(ALIGNMENT_SIZE + padding)
        .putShort(ALIGNMENT)
        .putShort((short) (ALIGNMENT_SIZE - 4 + padding))
        .putShort((short) alignment)
        .array();
  }

  private long copy(ImageSource content, long to, Progress progress) throws IOException {
    CRC32 crc = new CRC32();
    byte[] buffer = new byte[(int) Math.min(PIECE, content.size())];
    for (long at = 0; at < content.size(); ) {
      int piece = (int) Math.min(buffer.length, content.size() - at);
      content.read(at, buffer, 0, piece);
      crc.update(buffer, 0, piece);
      write(to + at, buffer, piece);
      at += piece;
      progress.at(at, content.size());
    }
    return crc.getValue();
  }

  /** Writes what follows the entries. */
  public void finish() throws IOException {
    byte[] records = directory.toByteArray();
    write(position, records);
    ByteBuffer end = buffer(END_SIZE).putInt(END).putInt(0);
    end.putShort((short) entries).putShort((short) entries);
    end.putInt(records.length).putInt((int) position).putShort((short) 0);
    write(position + records.length, end.array());
  }

  private void write(long at, byte[] bytes) throws IOException {
    write(at, bytes, bytes.length);
  }

  private void write(long at, byte[] bytes, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, length);
    while (buffer.hasRemaining()) {
      out.write(buffer, at + buffer.position());
    }
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
