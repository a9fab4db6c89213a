package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes items one after the other, each in its shortest form.
 *
 * <p>{@link #array} and {@link #map} announce how many items follow; the writer counts them. It
 * does not look for keys that occur twice: {@link CborMap} does. Arrays it outgrows are wiped, so
 * that a caller who calls {@link #wipe} leaves nothing behind. Misuse throws {@link
 * IllegalStateException}. Confined to one thread.
 */
public final class CborWriter {
  private static final int UNSIGNED = 0;
  private static final int BYTES = 2;
  private static final int TEXT = 3;
  private static final int ARRAY = 4;
  private static final int MAP = 5;
  private static final int TAG = 6;
  private static final int SIMPLE = 7;

  private byte[] buffer;
  private int size;
  private long[] open = new long[8];
  private int depth;

  /** Makes a writer with room for 256 bytes at first. */
  public CborWriter() {
    this(256);
  }

  /** Makes a writer with room for this many bytes at first. */
  public CborWriter(int capacity) {
    buffer = new byte[capacity];
  }

  /** Writes an integer. */
  public CborWriter integer(long value) {
    return value < 0 ? head(1, ~value) : head(UNSIGNED, value);
  }

  /** Writes a non-negative integer whose 64 bits are given. */
  public CborWriter unsigned(long bits) {
    return head(UNSIGNED, bits);
  }

  /** Writes a byte string. */
  public CborWriter bytes(byte[] value) {
    head(BYTES, value.length);
    return append(value, value.length);
  }

  /** Writes a byte string. */
  public CborWriter bytes(ByteSlice value) {
    head(BYTES, value.length());
    reserve(value.length());
    value.copyTo(buffer, size);
    size += value.length();
    return this;
  }

  /** Writes a text string; throws {@link IllegalArgumentException} for half a surrogate pair. */
  public CborWriter text(String value) {
    ByteBuffer utf8;
    try {
      utf8 =
          StandardCharsets.UTF_8
              .newEncoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .encode(CharBuffer.wrap(value));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("the text has half a surrogate pair", e);
    }
    int length = utf8.remaining();
    head(TEXT, length);
    reserve(length);
    utf8.get(buffer, size, length);
    size += length;
    return this;
  }

  /** Begins an array of {@code count} items, which follow. */
  public CborWriter array(int count) {
    return begin(ARRAY, count, count);
  }

  /** Begins a map of {@code count} entries, which follow as key, value, key, value. */
  public CborWriter map(int count) {
    return begin(MAP, count, 2L * count);
  }

  /** Tags the item that follows; the number is unsigned. */
  public CborWriter tag(long number) {
    return begin(TAG, number, 1);
  }

  /** Writes false or true. */
  public CborWriter bool(boolean value) {
    return head(SIMPLE, value ? 21 : 20);
  }

  /** Writes null. */
  public CborWriter nul() {
    return head(SIMPLE, 22);
  }

  /** Writes a value with all that it contains. */
  public CborWriter value(CborValue value) {
    if (value.position() >= 0) {
      return encoded(value.encoded());
    }
    value.writeTo(this);
    return this;
  }

  /** Writes one item whose encoding the caller has, byte for byte and unchecked. */
  public CborWriter encoded(ByteSlice item) {
    countItem();
    reserve(item.length());
    item.copyTo(buffer, size);
    size += item.length();
    return this;
  }

  /** Writes one item whose encoding the caller has, byte for byte and unchecked. */
  public CborWriter encoded(byte[] item) {
    countItem();
    return append(item, item.length);
  }

  /** Writes a floating point number in the shortest form that holds it exactly. */
  CborWriter floating(double value) {
    countItem();
    reserve(9);
    int half = HalfFloat.exactBits(value);
    if (half != HalfFloat.INEXACT) {
      put(0xf9);
      return putBigEndian(half, 2);
    }
    if ((float) value == value) {
      put(0xfa);
      return putBigEndian(Float.floatToRawIntBits((float) value), 4);
    }
    put(0xfb);
    return putBigEndian(Double.doubleToRawLongBits(value), 8);
  }

  /** The number of bytes so far. */
  public int size() {
    return size;
  }

  /** A copy of what was written; every array, map and tag must be complete. */
  public byte[] toByteArray() {
    if (depth != 0) {
      throw new IllegalStateException(
          "toByteArray() needs complete items but " + open[depth - 1] + " are missing");
    }
    return Arrays.copyOf(buffer, size);
  }

  /** Overwrites the buffer with zeros and starts anew. */
  public void wipe() {
    Arrays.fill(buffer, (byte) 0);
    size = 0;
    depth = 0;
  }

  /** Writes a complete item that is a head alone, or the head of a string. */
  CborWriter head(int major, long argument) {
    countItem();
    return putHead(major, argument);
  }

  private CborWriter begin(int major, long argument, long items) {
    if (items < 0) {
      throw new IllegalArgumentException("count must not be negative but was " + argument);
    }
    countItem();
    putHead(major, argument);
    if (items > 0) {
      if (depth == open.length) {
        open = Arrays.copyOf(open, depth * 2);
      }
      open[depth++] = items;
    }
    return this;
  }

  private void countItem() {
    // A container closes when its last item begins: that item's own contents stand above it.
    if (depth > 0 && --open[depth - 1] == 0) {
      depth--;
    }
  }

  private CborWriter putHead(int major, long argument) {
    reserve(9);
    int initial = major << 5;
    if (argument >= 0 && argument < 24) {
      put(initial | (int) argument);
      return this;
    }
    int log = argument >>> 8 == 0 ? 0 : argument >>> 16 == 0 ? 1 : argument >>> 32 == 0 ? 2 : 3;
    put(initial | 24 + log);
    return putBigEndian(argument, 1 << log);
  }

  private CborWriter putBigEndian(long value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      put((int) (value >>> shift));
    }
    return this;
  }

  private void put(int value) {
    buffer[size++] = (byte) value;
  }

  private CborWriter append(byte[] bytes, int length) {
    reserve(length);
    System.arraycopy(bytes, 0, buffer, size, length);
    size += length;
    return this;
  }

  private void reserve(int more) {
    if (buffer.length - size < more) {
      byte[] old = buffer;
      buffer = Arrays.copyOf(old, Math.max(Math.addExact(size, more), 2 * old.length));
      Arrays.fill(old, (byte) 0);
    }
  }
}
