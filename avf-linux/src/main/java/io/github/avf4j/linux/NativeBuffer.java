package io.github.avf4j.linux;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A zeroed block of native memory for the arguments of calls: a little-endian buffer and its
 * address. Freed by the garbage collector when nothing refers to this object or its buffer. As
 * thread-safe as a {@link ByteBuffer}.
 */
public final class NativeBuffer {
  private final ByteBuffer bytes;
  private final long address;

  private NativeBuffer(ByteBuffer bytes) {
    this.bytes = bytes;
    this.address = Pointer.nativeValue(Native.getDirectBufferPointer(bytes));
  }

  /** Makes a block of {@code size} zero bytes, aligned to 8 bytes or more. */
  public static NativeBuffer allocate(int size) {
    return new NativeBuffer(ByteBuffer.allocateDirect(size).order(ByteOrder.LITTLE_ENDIAN));
  }

  /** Returns the contents; absolute accesses only, the position is nobody's. */
  public ByteBuffer bytes() {
    return bytes;
  }

  /** Returns the address, good as long as this object is reachable. */
  public long address() {
    return address;
  }

  /** Returns the size in bytes. */
  public int size() {
    return bytes.capacity();
  }

  /** Fills the block with zeros and returns it. */
  public NativeBuffer clear() {
    for (int i = 0; i < bytes.capacity(); i++) {
      bytes.put(i, (byte) 0);
    }
    return this;
  }
}
