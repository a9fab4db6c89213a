package io.github.avf4j.virtio.blk;

/** How a request ended (virtio 1.2, section 5.2.6). */
enum BlkStatus {
  OK,
  IOERR,
  UNSUPP;

  byte code() {
    return (byte) ordinal();
  }
}
