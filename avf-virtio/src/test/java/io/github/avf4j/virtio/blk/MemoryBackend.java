package io.github.avf4j.virtio.blk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A disk in an array that records what is done to it and fails when told to. */
final class MemoryBackend implements BlockBackend {
  final byte[] bytes;
  final List<String> events = new ArrayList<>();
  @Nullable IOException failure;
  private final boolean discards;

  MemoryBackend(int sectors, boolean discards) {
    bytes = new byte[sectors * BlkDevice.SECTOR_SIZE];
    this.discards = discards;
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i / BlkDevice.SECTOR_SIZE + i);
    }
  }

  private void fail() throws IOException {
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public void read(ByteBuffer target, long position) throws IOException {
    fail();
    target.put(bytes, Math.toIntExact(position), target.remaining());
  }

  @Override
  public void write(ByteBuffer source, long position) throws IOException {
    fail();
    source.get(bytes, Math.toIntExact(position), source.remaining());
  }

  @Override
  public void flush() throws IOException {
    fail();
    events.add("flush");
  }

  @Override
  public void writeZeroes(long position, long length) throws IOException {
    fail();
    Arrays.fill(bytes, (int) position, (int) (position + length), (byte) 0);
  }

  @Override
  public boolean canDiscard() {
    return discards;
  }

  @Override
  public void discard(long position, long length) throws IOException {
    fail();
    events.add("discard " + position + " " + length);
  }

  @Override
  public void close() {
    events.add("close");
  }
}
