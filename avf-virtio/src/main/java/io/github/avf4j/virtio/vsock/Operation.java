package io.github.avf4j.virtio.vsock;

import org.jspecify.annotations.Nullable;

/** What a packet is for (virtio 1.2, 5.10.6.1). */
enum Operation {
  REQUEST(1),
  RESPONSE(2),
  RST(3),
  SHUTDOWN(4),
  RW(5),
  CREDIT_UPDATE(6),
  CREDIT_REQUEST(7);

  private static final Operation[] BY_NUMBER = values();

  private final int number;

  Operation(int number) {
    this.number = number;
  }

  int number() {
    return number;
  }

  static @Nullable Operation of(int number) {
    return number >= 1 && number <= BY_NUMBER.length ? BY_NUMBER[number - 1] : null;
  }
}
