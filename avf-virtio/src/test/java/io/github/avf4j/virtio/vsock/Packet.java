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
    return new Packet(
        sourceCid,
        targetCid,
        sourcePort,
        targetPort,
        bytes.length,
        type,
        operation,
        flags,
        bufferSize,
        forwarded,
        bytes);
  }

  Packet withLength(long newLength) {
    return new Packet(
        sourceCid,
        targetCid,
        sourcePort,
        targetPort,
        newLength,
        type,
        operation,
        flags,
        bufferSize,
        forwarded,
        data);
  }

  Packet withFlags(int newFlags) {
    return new Packet(
        sourceCid,
        targetCid,
        sourcePort,
        targetPort,
        length,
        type,
        operation,
        newFlags,
        bufferSize,
        forwarded,
        data);
  }

  Packet withType(int newType) {
    return new Packet(
        sourceCid,
        targetCid,
        sourcePort,
        targetPort,
        length,
        newType,
        operation,
        flags,
        bufferSize,
        forwarded,
        data);
  }

  Packet withOperation(int newOperation) {
    return new Packet(
        sourceCid,
        targetCid,
        sourcePort,
        targetPort,
        length,
        type,
        newOperation,
        flags,
        bufferSize,
        forwarded,
        data);
  }

  Packet withCids(long source, long target) {
    return new Packet(
        source,
        target,
        sourcePort,
        targetPort,
        length,
        type,
        operation,
        flags,
        bufferSize,
        forwarded,
        data);
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
    long sourceCid = bytes.getLong();
    long targetCid = bytes.getLong();
    long sourcePort = bytes.getInt() & 0xffff_ffffL;
    long targetPort = bytes.getInt() & 0xffff_ffffL;
    long length = bytes.getInt() & 0xffff_ffffL;
    int type = bytes.getShort() & 0xffff;
    int operation = bytes.getShort() & 0xffff;
    int flags = bytes.getInt();
    int bufferSize = bytes.getInt();
    int forwarded = bytes.getInt();
    byte[] data = new byte[bytes.remaining()];
    bytes.get(data);
    return new Packet(
        sourceCid,
        targetCid,
        sourcePort,
        targetPort,
        length,
        type,
        operation,
        flags,
        bufferSize,
        forwarded,
        data);
  }
}
