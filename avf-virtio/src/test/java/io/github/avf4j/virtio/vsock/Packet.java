package io.github.avf4j.virtio.vsock;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A packet as the guest makes or sees it.
 *
 * @param length what the header says, which need not be the length of the data
 */
record Packet(
    long sourceCid,
    long targetCid,
    long sourcePort,
    long targetPort,
    long length,
    int type,
    int operation,
    int flags,
    int bufferSize,
    int forwarded,
    byte[] data) {

  static Packet ofGuest(
      long guestPort, long hostPort, Operation operation, int bufferSize, int forwarded) {
    return new Packet(
        GuestDriver.CID,
        2,
        guestPort,
        hostPort,
        0,
        1,
        operation.number(),
        0,
        bufferSize,
        forwarded,
        new byte[0]);
  }

  Packet withData(byte[] bytes) {
    return with(sourceCid, targetCid, bytes.length, type, operation, flags, bytes);
  }

  Packet withLength(long newLength) {
    return with(sourceCid, targetCid, newLength, type, operation, flags, data);
  }

  Packet withFlags(int newFlags) {
    return with(sourceCid, targetCid, length, type, operation, newFlags, data);
  }

  Packet withType(int newType) {
    return with(sourceCid, targetCid, length, newType, operation, flags, data);
  }

  Packet withOperation(int newOperation) {
    return with(sourceCid, targetCid, length, type, newOperation, flags, data);
  }

  Packet withCids(long source, long target) {
    return with(source, target, length, type, operation, flags, data);
  }

  private Packet with(
      long newSource,
      long newTarget,
      long newLength,
      int newType,
      int newOperation,
      int newFlags,
      byte[] newData) {
    return new Packet(
        newSource,
        newTarget,
        sourcePort,
        targetPort,
        newLength,
        newType,
        newOperation,
        newFlags,
        bufferSize,
        forwarded,
        newData);
  }

  boolean is(Operation expected) {
    return operation == expected.number();
  }

  byte[] toBytes() {
    return ByteBuffer.allocate(44 + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(sourceCid)
        .putLong(targetCid)
        .putInt((int) sourcePort)
        .putInt((int) targetPort)
        .putInt((int) length)
        .putShort((short) type)
        .putShort((short) operation)
        .putInt(flags)
        .putInt(bufferSize)
        .putInt(forwarded)
        .put(data)
        .array();
  }

  static Packet of(ByteBuffer bytes) {
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    // Java evaluates arguments from left to right, which is the order on the wire.
    return new Packet(
        bytes.getLong(),
        bytes.getLong(),
        bytes.getInt() & 0xffff_ffffL,
        bytes.getInt() & 0xffff_ffffL,
        bytes.getInt() & 0xffff_ffffL,
        bytes.getShort() & 0xffff,
        bytes.getShort() & 0xffff,
        bytes.getInt(),
        bytes.getInt(),
        bytes.getInt(),
        rest(bytes));
  }

  private static byte[] rest(ByteBuffer bytes) {
    byte[] rest = new byte[bytes.remaining()];
    bytes.get(rest);
    return rest;
  }
}
