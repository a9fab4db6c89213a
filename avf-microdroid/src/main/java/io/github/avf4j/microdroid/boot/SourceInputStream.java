package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/** The bytes of a source from the first to the last; confined to one thread. */
final class SourceInputStream extends InputStream {
  private final ImageSource source;
  private long position;

  SourceInputStream(ImageSource source) {
    this.source = source;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, target.length);
    int count = (int) Math.min(length, source.size() - position);
    if (count == 0) {
      return length == 0 ? 0 : -1;
    }
    source.read(position, target, offset, count);
    position += count;
    return count;
  }
}
