package io.github.avf4j.virtio.vsock;

import io.github.avf4j.Cid;
import io.github.avf4j.virtio.queue.DescriptorChain;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The 44 bytes before the data of a packet, little-endian (virtio 1.2, 5.10.6): src_cid u64 at 0,
 * dst_cid u64 at 8, src_port u32 at 16, dst_port u32 at 20, len u32 at 24, type u16 at 28, op u16
 * at 30, flags u32 at 32, buf_alloc u32 at 36, fwd_cnt u32 at 40.
 *
 * <p>A flyweight over one buffer: each load or store replaces what was there. Guarded by the
 * device's lock.
 */
final class PacketHeader {
  static final int LENGTH = 44;

  /** The greatest amount of data in a packet that this device sends or takes. */
  static final int MAX_DATA = 64 << 10;

  /** The type of a stream; type 2, SEQPACKET, is not offered. */
  static final int STREAM = 1;

  /** The sender of this SHUTDOWN will receive no more. */
  static final int NO_RECEIVE = 1;

  /** The sender of this SHUTDOWN will send no more. */
  static final int NO_SEND = 2;

  private final ByteBuffer bytes = ByteBuffer.allocateDirect(LENGTH).order(ByteOrder.LITTLE_ENDIAN);

  /** Loads the header; false if the chain is too short for one. */
  boolean load(DescriptorChain chain) {
    bytes.clear();
    chain.read(bytes);
    return !bytes.hasRemaining();
  }

  long sourceCid() {
    return bytes.getLong(0);
  }

  long targetCid() {
    return bytes.getLong(8);
  }

  /** Returns the key of the connection in a packet of the guest. */
  long keyFromGuest() {
    return key(bytes.getInt(20), bytes.getInt(16));
  }

  /** Returns the length of the data, 0 to 4294967295. */
  long length() {
    return bytes.getInt(24) & 0xffff_ffffL;
  }

  int type() {
    return bytes.getShort(28) & 0xffff;
  }

  int operation() {
    return bytes.getShort(30) & 0xffff;
  }

  int flags() {
    return bytes.getInt(32);
  }

  int bufferSize() {
    return bytes.getInt(36);
  }

  int forwarded() {
    return bytes.getInt(40);
  }

  /** Sets all of a packet of the host. */
  void set(
      Cid guest,
      long key,
      int length,
      int type,
      Operation operation,
      int flags,
      int bufferSize,
      int forwarded) {
    bytes.putLong(0, Cid.HOST);
    bytes.putLong(8, guest.value());
    bytes.putInt(16, (int) (key >>> 32));
    bytes.putInt(20, (int) key);
    bytes.putInt(24, length);
    bytes.putShort(28, (short) type);
    bytes.putShort(30, (short) operation.number());
    bytes.putInt(32, flags);
    bytes.putInt(36, bufferSize);
    bytes.putInt(40, forwarded);
  }

  /** Writes the header to a chain that has room for it. */
  void store(DescriptorChain chain) {
    bytes.clear();
    chain.write(bytes);
  }

  /**
   * Returns what names a connection: the host's port in the upper half, the guest's in the lower.
   */
  static long key(int hostPort, int guestPort) {
    return (long) hostPort << 32 | guestPort & 0xffff_ffffL;
  }
}
