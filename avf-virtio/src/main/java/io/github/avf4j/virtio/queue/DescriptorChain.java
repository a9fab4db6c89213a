package io.github.avf4j.virtio.queue;

import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestMemoryException;
import java.nio.ByteBuffer;

/**
 * One request of a driver: bytes for the device to read, then bytes for it to write.
 *
 * <p>Descriptors were copied and checked when {@link Virtqueue#poll} returned the chain; the device
 * sees two byte streams with a cursor each, whatever the driver's split. The bytes still belong to
 * the guest, which may change them at any time: a device reads each of them once.
 *
 * <p>A chain may be held after the next poll, and is dead after {@link Virtqueue#complete}. All
 * that asks for more than is there throws {@link VirtqueueException} and moves nothing. Where the
 * guest does not share the memory that its descriptors name, the queue is {@linkplain
 * Virtqueue#broken() broken} and {@link VirtqueueException} thrown. Confined to the thread that has
 * the queue.
 */
public final class DescriptorChain {
  final Virtqueue queue;
  private final GuestMemory memory;
  private final BufferList readable;
  private final BufferList writable;
  private int head;

  /** Whether a device has the chain, so that it may complete it. */
  boolean held;

  DescriptorChain(Virtqueue queue, GuestMemory memory) {
    this.queue = queue;
    this.memory = memory;
    readable = new BufferList();
    writable = new BufferList();
  }

  /** Returns the index of the first descriptor, which names the chain in the used ring. */
  public int head() {
    return head;
  }

  /**
   * Says whether the queue was stopped, so that nobody waits for this chain any more: long work on
   * it looks here now and then and gives up.
   */
  public boolean isAbandoned() {
    return queue.stopped();
  }

  /** Returns how many bytes the device may read. */
  public long readableLength() {
    return readable.length();
  }

  /** Returns how many bytes the device may write. */
  public long writableLength() {
    return writable.length();
  }

  /** Returns how many bytes the read cursor has before it. */
  public long readRemaining() {
    return readable.remaining();
  }

  /** Returns how many bytes the write cursor has before it. */
  public long writeRemaining() {
    return writable.remaining();
  }

  /** Returns how many bytes the write cursor has behind it. */
  public long written() {
    return writable.length() - writable.remaining();
  }

  /** Reads as much as there is and {@code target} takes; returns how many bytes that was. */
  public int read(ByteBuffer target) {
    int length = (int) Math.min(target.remaining(), readable.remaining());
    int limit = target.limit();
    int end = target.position() + length;
    while (target.position() < end) {
      int part = readable.part(end - target.position());
      target.limit(target.position() + part);
      try {
        memory.read(readable.address(), target);
      } catch (GuestMemoryException e) {
        throw unseen(e);
      }
      readable.advance(part);
    }
    target.limit(limit);
    return length;
  }

  /** Reads as much as there is up to {@code length} bytes; returns how many bytes that was. */
  public int read(byte[] target, int start, int length) {
    return read(ByteBuffer.wrap(target, start, length));
  }

  /** Reads one byte. */
  public byte readByte() {
    return (byte) readValue(Byte.BYTES);
  }

  /** Reads a little-endian 16-bit value. */
  public short readShort() {
    return (short) readValue(Short.BYTES);
  }

  /** Reads a little-endian 32-bit value. */
  public int readInt() {
    return (int) readValue(Integer.BYTES);
  }

  /** Reads a little-endian 64-bit value. */
  public long readLong() {
    return readValue(Long.BYTES);
  }

  /** Moves the read cursor over {@code length} bytes. */
  public void skip(long length) {
    readable.skip(length);
  }

  /**
   * Lends the next readable bytes that lie together, at most {@code limit} of them, and moves the
   * read cursor over them.
   *
   * @param limit at least one
   * @return how many, at least one
   */
  public <E extends Exception> int lendToRead(int limit, GuestMemory.Borrower<E> reader) throws E {
    readable.require(1);
    int length;
    try {
      length = memory.lendToRead(readable.address(), readable.part(limit), reader);
    } catch (GuestMemoryException e) {
      throw unseen(e);
    }
    readable.advance(length);
    return length;
  }

  /** Writes as much as there is room for; returns how many bytes that was. */
  public int write(ByteBuffer source) {
    int length = (int) Math.min(source.remaining(), writable.remaining());
    int limit = source.limit();
    int end = source.position() + length;
    while (source.position() < end) {
      int part = writable.part(end - source.position());
      source.limit(source.position() + part);
      try {
        memory.write(writable.address(), source);
      } catch (GuestMemoryException e) {
        throw unseen(e);
      }
      writable.advance(part);
    }
    source.limit(limit);
    return length;
  }

  /** Writes as much as there is room for up to {@code length} bytes; returns how many. */
  public int write(byte[] source, int start, int length) {
    return write(ByteBuffer.wrap(source, start, length));
  }

  /** Writes one byte. */
  public void writeByte(byte value) {
    writeValue(value, Byte.BYTES);
  }

  /** Writes a little-endian 16-bit value. */
  public void writeShort(short value) {
    writeValue(value, Short.BYTES);
  }

  /** Writes a little-endian 32-bit value. */
  public void writeInt(int value) {
    writeValue(value, Integer.BYTES);
  }

  /** Writes a little-endian 64-bit value. */
  public void writeLong(long value) {
    writeValue(value, Long.BYTES);
  }

  /**
   * Lends room for the next writable bytes that lie together, at most {@code limit} of them, and
   * moves the write cursor over them.
   *
   * @param limit at least one
   * @return how many, at least one
   */
  public <E extends Exception> int lendToFill(int limit, GuestMemory.Borrower<E> writer) throws E {
    writable.require(1);
    int length;
    try {
      length = memory.lendToFill(writable.address(), writable.part(limit), writer);
    } catch (GuestMemoryException e) {
      throw unseen(e);
    }
    writable.advance(length);
    return length;
  }

  /** Writes one byte at {@code offset} of the writable part and leaves the cursor where it is. */
  public void writeAt(long offset, byte value) {
    try {
      memory.storeByte(writable.addressOf(offset), value);
    } catch (GuestMemoryException e) {
      throw unseen(e);
    }
  }

  void begin(int newHead) {
    head = newHead;
    held = true;
    readable.clear();
    writable.clear();
  }

  /** Appends a buffer that was checked. */
  void add(long address, long length, boolean isWritable) {
    (isWritable ? writable : readable).add(address, length);
  }

  private VirtqueueException unseen(GuestMemoryException e) {
    queue.fail("has a buffer that the guest does not share: " + e.getMessage());
    return new VirtqueueException("the guest does not share a buffer of a chain", e);
  }

  private long readValue(int width) {
    readable.require(width);
    try {
      return loadValue(width);
    } catch (GuestMemoryException e) {
      throw unseen(e);
    }
  }

  private long loadValue(int width) {
    long value = 0;
    if (readable.part(width) == width) {
      long address = readable.address();
      value =
          switch (width) {
            case Byte.BYTES -> memory.loadByte(address);
            case Short.BYTES -> memory.loadShort(address);
            case Integer.BYTES -> memory.loadInt(address);
            default -> memory.loadLong(address);
          };
      readable.advance(width);
      return value;
    }
    for (int i = 0; i < width; i++) {
      value |= (memory.loadByte(readable.address()) & 0xffL) << 8 * i;
      readable.advance(1);
    }
    return value;
  }

  private void writeValue(long value, int width) {
    writable.require(width);
    try {
      storeValue(value, width);
    } catch (GuestMemoryException e) {
      throw unseen(e);
    }
  }

  private void storeValue(long value, int width) {
    if (writable.part(width) == width) {
      long address = writable.address();
      switch (width) {
        case Byte.BYTES -> memory.storeByte(address, (byte) value);
        case Short.BYTES -> memory.storeShort(address, (short) value);
        case Integer.BYTES -> memory.storeInt(address, (int) value);
        default -> memory.storeLong(address, value);
      }
      writable.advance(width);
      return;
    }
    for (int i = 0; i < width; i++) {
      memory.storeByte(writable.address(), (byte) (value >>> 8 * i));
      writable.advance(1);
    }
  }
}
