package io.github.avf4j.binder;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Map;
import java.util.NavigableMap;
import org.jspecify.annotations.Nullable;

/**
 * The results of a call, in their order.
 *
 * <p>Every read is within the parcel, and a count is checked before anything is made for it; else
 * {@link MalformedParcelException}. Objects have to be read: on sessions of a version before 2,
 * those that are not are kept by the server as long as the session lives. Confined to one thread.
 */
public final class ParcelReader {
  private static final int TYPE_BINDER = 1;
  private static final int OBJECT = 12;
  private static final int APP_OPS_HEADER = -127;
  private static final int REPLY_HEADER = -128;

  private final ByteBuffer data;

  /** Objects that were received with the message. */
  private final NavigableMap<Integer, RpcObject> objects;

  /** Receives an object when it is read; null if all were received with the message. */
  private final @Nullable Receiver receiver;

  /** Knows what an address means. */
  interface Receiver {
    RpcObject receive(long address, int stability);
  }

  ParcelReader(byte[] data, NavigableMap<Integer, RpcObject> objects, @Nullable Receiver receiver) {
    this.data = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    this.objects = objects;
    this.receiver = receiver;
  }

  private MalformedParcelException malformed(String reason) {
    return new MalformedParcelException(data.position(), reason);
  }

  /** The next bytes; the zeros after them are passed over. */
  private ByteBuffer take(long size) {
    if (size > data.remaining()) {
      throw malformed(size + " bytes are to be read, but there are " + data.remaining());
    }
    int start = data.position();
    int end = start + (int) size;
    Map.Entry<Integer, RpcObject> object = objects.lowerEntry(end);
    if (object != null && object.getKey() + OBJECT > start) {
      throw malformed("an object is read as something else");
    }
    ByteBuffer taken = data.slice(start, (int) size).order(ByteOrder.LITTLE_ENDIAN);
    data.position(Math.min((end + 3) & ~3, data.limit()));
    return taken;
  }

  /** Returns how many bytes are left. */
  public int remaining() {
    return data.remaining();
  }

  /** Reads an {@code int}, or an enum that is one. */
  public int readInt() {
    return take(4).getInt();
  }

  /** Reads a {@code long}. */
  public long readLong() {
    return take(8).getLong();
  }

  /** Reads a {@code float}. */
  public float readFloat() {
    return take(4).getFloat();
  }

  /** Reads a {@code double}. */
  public double readDouble() {
    return take(8).getDouble();
  }

  /** Reads a {@code boolean}. */
  public boolean readBoolean() {
    return readInt() != 0;
  }

  /** Reads a {@code byte}. */
  public byte readByte() {
    return (byte) readInt();
  }

  /** Reads a {@code char}. */
  public char readChar() {
    return (char) readInt();
  }

  /** Reads a {@code String} or null; unpaired surrogates stay as they are. */
  public @Nullable String readString() {
    int count = readInt();
    if (count == -1) {
      return null;
    }
    if (count < 0) {
      throw malformed("a string has " + count + " characters");
    }
    ByteBuffer units = take((count + 1L) * 2);
    if (units.getChar(count * 2) != 0) {
      throw malformed("a string is not terminated");
    }
    return units.asCharBuffer().limit(count).toString();
  }

  /** Reads a {@code byte[]} or null. */
  public byte @Nullable [] readByteArray() {
    int count = readCount(1);
    if (count < 0) {
      return null;
    }
    byte[] array = new byte[count];
    take(count).get(array);
    return array;
  }

  /** Reads an {@code int[]} or null. */
  public int @Nullable [] readIntArray() {
    int count = readCount(4);
    if (count < 0) {
      return null;
    }
    IntBuffer values = take(count * 4L).asIntBuffer();
    int[] array = new int[count];
    values.get(array);
    return array;
  }

  /** Reads a {@code long[]} or null. */
  public long @Nullable [] readLongArray() {
    int count = readCount(8);
    if (count < 0) {
      return null;
    }
    LongBuffer values = take(count * 8L).asLongBuffer();
    long[] array = new long[count];
    values.get(array);
    return array;
  }

  /** The count of an array, -1 for null. */
  private int readCount(int least) {
    int count = readInt();
    if (count < -1 || count > data.remaining() / least) {
      throw malformed(
          "an array has " + count + " elements, but there are " + data.remaining() + " bytes");
    }
    return count;
  }

  /** Reads an object or null. */
  public @Nullable RpcObject readStrongBinder() {
    int at = data.position();
    RpcObject received = objects.get(at);
    if (received != null) {
      data.position(at + OBJECT + 4);
      return received;
    }
    int type = readInt();
    if ((type & TYPE_BINDER) == 0) {
      if (readInt() != 0) {
        throw malformed("null has a stability");
      }
      return null;
    }
    if (receiver == null) {
      throw malformed("an object is not in the message's table");
    }
    ByteBuffer object = take(OBJECT);
    return receiver.receive(object.getLong(0), object.getInt(8));
  }

  /** Reads an object of the server, which must not be null. */
  public RpcBinder readRemoteBinder() {
    int at = data.position();
    if (readStrongBinder() instanceof RpcBinder binder) {
      return binder;
    }
    throw new MalformedParcelException(at, "there is no object of the server");
  }

  /**
   * Reads whether the method has thrown, which comes before its results; {@link RpcBinder#call} has
   * done so.
   *
   * @throws RpcServiceException if it has
   */
  public void readException() {
    int code = readInt();
    if (code == APP_OPS_HEADER) {
      skipBlock();
      code = readInt();
    }
    if (code == REPLY_HEADER) {
      skipBlock();
      code = 0;
    }
    if (code == 0) {
      return;
    }
    String text = readString();
    skipBlock();
    int error = code == RpcServiceException.Code.SERVICE_SPECIFIC.value() ? readInt() : 0;
    throw RpcServiceException.of(code, text, error);
  }

  /** Passes over a block that begins with its size, which counts itself unless it is 0. */
  private void skipBlock() {
    int size = readInt();
    if (size == 0) {
      return;
    }
    if (size < 4 || size - 4 > data.remaining()) {
      throw malformed("a block has " + size + " bytes");
    }
    data.position(data.position() + size - 4);
  }
}
