package io.github.avf4j.binder;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ByteChannel;
import java.util.Arrays;

/** Whole messages over one channel. Used by one thread at a time; close() may be called by any. */
final class RpcConnection implements AutoCloseable {
  /** Larger writes are known to fail on some hosts' vsock. */
  private static final int CHUNK = 64 * 1024;

  private final ByteChannel channel;

  /** A message that was read. */
  record Message(int command, ByteBuffer body) {}

  RpcConnection(ByteChannel channel) {
    this.channel = channel;
  }

  void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      ByteBuffer chunk = bytes.slice().limit(Math.min(bytes.remaining(), CHUNK));
      channel.write(chunk);
      bytes.position(bytes.position() + chunk.position());
    }
  }

  ByteBuffer read(int size) throws IOException {
    return ByteBuffer.wrap(readBytes(size)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** What was announced costs nothing before it comes. */
  private byte[] readBytes(int size) throws IOException {
    byte[] bytes = new byte[Math.min(size, CHUNK)];
    int count = 0;
    while (count < size) {
      if (count == bytes.length) {
        bytes = Arrays.copyOf(bytes, Math.min(size, 2 * count));
      }
      int more = channel.read(ByteBuffer.wrap(bytes, count, bytes.length - count));
      if (more < 0) {
        throw new EOFException("the server has closed the connection");
      }
      count += more;
    }
    return bytes;
  }

  Message readMessage(int version) throws IOException {
    Wire.Header header = Wire.header(read(Wire.HEADER), version);
    return new Message(header.command(), read(header.bodySize()));
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // It is of no use any more, either way.
    }
  }
}
