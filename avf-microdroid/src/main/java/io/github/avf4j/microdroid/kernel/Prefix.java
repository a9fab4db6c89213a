package io.github.avf4j.microdroid.kernel;

import java.io.IOException;
import java.io.InputStream;

/** The first bytes of a stream. Confined to one thread. */
final class Prefix extends InputStream {
  private final InputStream in;
  private long left;

  Prefix(InputStream in, long length) {
    this.in = in;
    this.left = length;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length > 0 && left == 0) {
      return -1;
    }
    int count = in.read(target, offset, (int) Math.min(length, left));
    left -= Math.max(0, count);
    return count;
  }
}
