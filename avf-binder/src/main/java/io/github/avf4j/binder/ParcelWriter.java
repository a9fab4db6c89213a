package io.github.avf4j.binder;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of a call, in the order of the method's parameters.
 *
 * <p>Every value begins at a multiple of four bytes. A parcel can be sent several times. Confined
 * to one thread.
 */
public final class ParcelWriter {
  private static final int STABILITY_SYSTEM = 12;
  private static final int TYPE_BINDER = 1;

  private ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
  private final NavigableMap<Integer, RpcObject> objects = new TreeMap<>();

  /** Makes an empty parcel. */
  public ParcelWriter() {}

  /** Returns the begin of a call of an interface: its name. */
  public static ParcelWriter forInterface(String descriptor) {
    return new ParcelWriter().writeString(descriptor);
  }

  /** Room for so many bytes, and for the zeros after them. */
  private ByteBuffer room(int size) {
    int padded = Math.addExact(size, 3) & ~3;
    if (data.remaining() < padded) {
      int needed = Math.addExact(data.position(), padded);
      ByteBuffer larger = ByteBuffer.allocate(Math.max(needed, data.position() * 2));
      data = larger.order(ByteOrder.LITTLE_ENDIAN).put(data.flip());
    }
    ByteBuffer room = data.slice().order(ByteOrder.LITTLE_ENDIAN).limit(padded);
    data.position(data.position() + padded);
    return room;
  }

  /** Writes an {@code int}, or an enum that is one. */
  public ParcelWriter writeInt(int value) {
    room(4).putInt(value);
    return this;
  }

  /** Writes a {@code long}. */
  public ParcelWriter writeLong(long value) {
    room(8).putLong(value);
    return this;
  }

  /** Writes a {@code float}. */
  public ParcelWriter writeFloat(float value) {
    room(4).putFloat(value);
    return this;
  }

  /** Writes a {@code double}. */
  public ParcelWriter writeDouble(double value) {
    room(8).putDouble(value);
    return this;
  }

  /** Writes a {@code boolean}. */
  public ParcelWriter writeBoolean(boolean value) {
    return writeInt(value ? 1 : 0);
  }

  /** Writes a {@code byte}. */
  public ParcelWriter writeByte(byte value) {
    return writeInt(value);
  }

  /** Writes a {@code char}. */
  public ParcelWriter writeChar(char value) {
    return writeInt(value);
  }

  /** Writes a {@code String}. */
  public ParcelWriter writeString(@Nullable String value) {
    if (value == null) {
      return writeInt(-1);
    }
    writeInt(value.length());
    ByteBuffer room = room(Math.addExact(Math.multiplyExact(value.length(), 2), 2));
    room.asCharBuffer().put(value);
    return this;
  }

  /** Writes a {@code byte[]}. */
  public ParcelWriter writeByteArray(byte @Nullable [] value) {
    if (value == null) {
      return writeInt(-1);
    }
    writeInt(value.length);
    room(value.length).put(value);
    return this;
  }

  /** Writes an {@code int[]}. */
  public ParcelWriter writeIntArray(int @Nullable [] value) {
    if (value == null) {
      return writeInt(-1);
    }
    writeInt(value.length);
    room(Math.multiplyExact(value.length, 4)).asIntBuffer().put(value);
    return this;
  }

  /** Writes a {@code long[]}. */
  public ParcelWriter writeLongArray(long @Nullable [] value) {
    if (value == null) {
      return writeInt(-1);
    }
    writeInt(value.length);
    room(Math.multiplyExact(value.length, 8)).asLongBuffer().put(value);
    return this;
  }

  /**
   * Writes an object, or null. One of the server must be of the session on which the parcel is
   * sent.
   */
  public ParcelWriter writeStrongBinder(@Nullable RpcObject object) {
    if (object == null) {
      return writeLong(0);
    }
    int at = data.position();
    // The address is known when the parcel is sent.
    writeInt(TYPE_BINDER).writeLong(0);
    writeInt(object instanceof RpcBinder binder ? binder.stability() : STABILITY_SYSTEM);
    objects.put(at, object);
    return this;
  }

  /** Writes the bytes of another parcel without objects. */
  void append(ParcelWriter other) {
    int start = data.position();
    byte[] bytes = other.toByteArray();
    room(bytes.length).put(bytes);
    other.objects.forEach((at, object) -> objects.put(start + at, object));
  }

  int size() {
    return data.position();
  }

  byte[] toByteArray() {
    return Arrays.copyOf(data.array(), data.position());
  }

  NavigableMap<Integer, RpcObject> objects() {
    return objects;
  }
}
