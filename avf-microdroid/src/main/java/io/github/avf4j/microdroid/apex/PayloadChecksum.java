package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.verity.DataTap;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.internal.Crc32Math;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * The CRC-32 of a payload, of which the data comes in chunks while it is hashed.
 *
 * <p>Thread-safe as far as a {@link DataTap} must be: each chunk is seen by one thread.
 */
final class PayloadChecksum implements DataTap {
  private static final int PIECE = 1 << 16;

  private final ImageSource payload;
  private final long dataSize;
  private final CRC32[] chunks;

  /** Starts for a payload, of which the first {@code dataSize} bytes will be seen. */
  PayloadChecksum(ImageSource payload, long dataSize) {
    this.payload = payload;
    this.dataSize = dataSize;
    this.chunks = new CRC32[Math.toIntExact((dataSize + CHUNK - 1) / CHUNK)];
    Arrays.setAll(chunks, index -> new CRC32());
  }

  @Override
  public void see(long position, byte[] bytes, int length) {
    chunks[(int) (position / CHUNK)].update(bytes, 0, length);
  }

  /** Reads what was not seen. */
  long finish() throws IOException {
    int crc = 0;
    for (int i = 0; i < chunks.length; i++) {
      long length = Math.min(CHUNK, dataSize - (long) i * CHUNK);
      crc = Crc32Math.joined(crc, (int) chunks[i].getValue(), length);
    }
    CRC32 rest = new CRC32();
    byte[] buffer = new byte[PIECE];
    for (long at = dataSize; at < payload.size(); ) {
      int piece = (int) Math.min(PIECE, payload.size() - at);
      payload.read(at, buffer, 0, piece);
      rest.update(buffer, 0, piece);
      at += piece;
    }
    crc = Crc32Math.joined(crc, (int) rest.getValue(), payload.size() - dataSize);
    return Integer.toUnsignedLong(crc);
  }
}
