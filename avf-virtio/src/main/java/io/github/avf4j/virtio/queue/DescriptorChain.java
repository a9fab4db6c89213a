package io.github.avf4j.virtio.queue;

import io.github.avf4j.virtio.memory.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;

/**
 * One request of a driver: bytes for the device to read, then bytes for it to write.
 *
 * <p>Descriptors were copied and checked when {@link Virtqueue#poll} returned the chain; the device
 * sees two byte streams with a cursor each, whatever the driver's split. The bytes still belong to
 * the guest, which may change them at any time: a device reads each of them once.
 *
 * <p>A chain may be held after the next poll, and is dead after {@link Virtqueue#complete}. All
 * that asks for more than is there throws {@link VirtqueueException} and moves nothing. Confined to
 * the thread that has the queue.
 */
public final class DescriptorChain {
  private static final int FIRST_CAPACITY = 8;

  final Virtqueue queue;
  private final GuestMemory memory;
  private int head;
  boolean held;

  /** Addresses and lengths of the parts that are not empty; the readable ones come first. */
  private long[] addresses = new long[FIRST_CAPACITY];

  private long[] lengths = new long[FIRST_CAPACITY];
  private int parts;
  private int readableParts;
  private long readableLength;
  private long writableLength;

  private int readPart;
  private long readOffset;
  private long readRemaining;
  private int writePart;
  private long writeOffset;
  private long writeRemaining;

  DescriptorChain(Virtqueue queue, GuestMemory memory) {
    this.queue = queue;
    this.memory = memory;
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
    return readableLength;
  }

  /** Returns how many bytes the device may write. */
  public long writableLength() {
    return writableLength;
  }

  /** Returns how many bytes the read cursor has before it. */
  public long readRemaining() {
    return readRemaining;
  }

  /** Returns how many bytes the write cursor has before it. */
  public long writeRemaining() {
    return writeRemaining;
  }

  /** Returns how many bytes the write cursor has behind it. */
  public long written() {
    return writableLength - writeRemaining;
  }

  /** Reads as much as there is and {@code target} takes; returns how many bytes that was. */
  public int read(ByteBuffer target) {
    int length = (int) Math.min(target.remaining(), readRemaining);
    int limit = target.limit();
    int end = target.position() + length;
    while (target.position() < end) {
      int part = readPartLength(end - target.position());
      target.limit(target.position() + part);
      memory.read(readAddress(), target);
      advanceRead(part);
    }
    target.limit(limit);
    return length;
  }

  /** Reads as much as there is up to {@code length} bytes; returns how many bytes that was. */
  public int read(byte[] target, int start, int length) {
    int wanted = (int) Math.min(length, readRemaining);
    for (int done = 0; done < wanted; ) {
      int part = readPartLength(wanted - done);
      memory.read(readAddress(), target, start + done, part);
      advanceRead(part);
      done += part;
    }
    return wanted;
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
    requireReadable(length);
    for (long left = length; left > 0; ) {
      long part = Math.min(left, lengths[readPart] - readOffset);
      advanceRead(part);
      left -= part;
    }
  }

  /**
   * Returns a view of the next readable bytes that lie together in guest memory, at most {@code
   * limit} of them, and moves the read cursor over them. At least one byte.
   */
  public ByteBuffer nextReadable(int limit) {
    requireReadable(1);
    long address = readAddress();
    ByteBuffer view =
        memory.slice(address, memory.contiguous(address, readPartLength(Math.max(limit, 1))));
    advanceRead(view.remaining());
    return view;
  }

  /**
   * Writes {@code length} readable bytes to {@code file} at {@code position}, without a copy in
   * between. Blocks while the host writes.
   *
   * @return {@code length}
   * @throws IOException if the host does; the cursor then is somewhere behind what was written
   */
  public int readTo(FileChannel file, long position, int length) throws IOException {
    requireReadable(length);
    for (int done = 0; done < length; ) {
      ByteBuffer source = nextReadable(length - done);
      while (source.hasRemaining()) {
        done += file.write(source, position + done);
      }
    }
    return length;
  }

  /** Writes as much as there is room for; returns how many bytes that was. */
  public int write(ByteBuffer source) {
    int length = (int) Math.min(source.remaining(), writeRemaining);
    int limit = source.limit();
    int end = source.position() + length;
    while (source.position() < end) {
      int part = writePartLength(end - source.position());
      source.limit(source.position() + part);
      memory.write(writeAddress(), source);
      advanceWrite(part);
    }
    source.limit(limit);
    return length;
  }

  /** Writes as much as there is room for up to {@code length} bytes; returns how many. */
  public int write(byte[] source, int start, int length) {
    int wanted = (int) Math.min(length, writeRemaining);
    for (int done = 0; done < wanted; ) {
      int part = writePartLength(wanted - done);
      memory.write(writeAddress(), source, start + done, part);
      advanceWrite(part);
      done += part;
    }
    return wanted;
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
   * Returns a view of the next writable bytes that lie together in guest memory, at most {@code
   * limit} of them, and moves the write cursor over them. At least one byte.
   */
  public ByteBuffer nextWritable(int limit) {
    requireWritable(1);
    long address = writeAddress();
    ByteBuffer view =
        memory.slice(address, memory.contiguous(address, writePartLength(Math.max(limit, 1))));
    advanceWrite(view.remaining());
    return view;
  }

  /**
   * Fills up to {@code length} writable bytes from {@code file} at {@code position}, without a copy
   * in between. Blocks while the host reads.
   *
   * @return how many bytes were read, less than {@code length} only at the end of the file
   * @throws IOException if the host does; the cursor then is somewhere behind what was read
   */
  public int writeFrom(FileChannel file, long position, int length) throws IOException {
    requireWritable(length);
    for (int done = 0; done < length; ) {
      ByteBuffer target = nextWritable(length - done);
      while (target.hasRemaining()) {
        int part = file.read(target, position + done);
        if (part < 0) {
          return done;
        }
        done += part;
      }
    }
    return length;
  }

  /** Writes one byte at {@code offset} of the writable part and leaves the cursor where it is. */
  public void writeAt(long offset, byte value) {
    if (offset < 0 || offset >= writableLength) {
      throw new VirtqueueException(
          "offset " + offset + " is not in the " + writableLength + " writable bytes of a chain");
    }
    int part = readableParts;
    long left = offset;
    while (left >= lengths[part]) {
      left -= lengths[part++];
    }
    memory.storeByte(addresses[part] + left, value);
  }

  void begin(int newHead) {
    head = newHead;
    held = true;
    parts = 0;
    readableParts = 0;
    readableLength = 0;
    writableLength = 0;
  }

  /** Appends a part that was checked; an empty one is dropped. */
  void add(long address, long length, boolean writable) {
    if (length == 0) {
      return;
    }
    if (parts == addresses.length) {
      addresses = Arrays.copyOf(addresses, parts * 2);
      lengths = Arrays.copyOf(lengths, parts * 2);
    }
    addresses[parts] = address;
    lengths[parts++] = length;
    if (writable) {
      writableLength += length;
    } else {
      readableParts = parts;
      readableLength += length;
    }
  }

  void rewind() {
    readPart = 0;
    readOffset = 0;
    readRemaining = readableLength;
    writePart = readableParts;
    writeOffset = 0;
    writeRemaining = writableLength;
  }

  private long readValue(int width) {
    requireReadable(width);
    long value = 0;
    if (lengths[readPart] - readOffset >= width) {
      long address = readAddress();
      value =
          switch (width) {
            case Byte.BYTES -> memory.loadByte(address);
            case Short.BYTES -> memory.loadShort(address);
            case Integer.BYTES -> memory.loadInt(address);
            default -> memory.loadLong(address);
          };
      advanceRead(width);
      return value;
    }
    for (int i = 0; i < width; i++) {
      value |= (memory.loadByte(readAddress()) & 0xffL) << 8 * i;
      advanceRead(1);
    }
    return value;
  }

  private void writeValue(long value, int width) {
    requireWritable(width);
    if (lengths[writePart] - writeOffset >= width) {
      long address = writeAddress();
      switch (width) {
        case Byte.BYTES -> memory.storeByte(address, (byte) value);
        case Short.BYTES -> memory.storeShort(address, (short) value);
        case Integer.BYTES -> memory.storeInt(address, (int) value);
        default -> memory.storeLong(address, value);
      }
      advanceWrite(width);
      return;
    }
    for (int i = 0; i < width; i++) {
      memory.storeByte(writeAddress(), (byte) (value >>> 8 * i));
      advanceWrite(1);
    }
  }

  private void requireReadable(long length) {
    if (length < 0 || length > readRemaining) {
      throw new VirtqueueException(
          "a chain has " + readRemaining + " bytes to read but needs " + length);
    }
  }

  private void requireWritable(long length) {
    if (length < 0 || length > writeRemaining) {
      throw new VirtqueueException(
          "a chain has room for " + writeRemaining + " bytes but needs " + length);
    }
  }

  private long readAddress() {
    return addresses[readPart] + readOffset;
  }

  private int readPartLength(int wanted) {
    return (int) Math.min(wanted, lengths[readPart] - readOffset);
  }

  private void advanceRead(long length) {
    readRemaining -= length;
    readOffset += length;
    if (readOffset == lengths[readPart]) {
      readPart++;
      readOffset = 0;
    }
  }

  private long writeAddress() {
    return addresses[writePart] + writeOffset;
  }

  private int writePartLength(int wanted) {
    return (int) Math.min(wanted, lengths[writePart] - writeOffset);
  }

  private void advanceWrite(long length) {
    writeRemaining -= length;
    writeOffset += length;
    if (writeOffset == lengths[writePart]) {
      writePart++;
      writeOffset = 0;
    }
  }
}
