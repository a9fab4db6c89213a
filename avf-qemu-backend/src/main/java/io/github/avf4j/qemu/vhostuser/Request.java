package io.github.avf4j.qemu.vhostuser;

import java.util.Locale;

/**
 * The front-end's requests that are served, with the limits of their payload in bytes and of the
 * descriptors that come along.
 */
enum Request {
  GET_FEATURES(1, 0, 0, 0),
  SET_FEATURES(2, 8, 8, 0),
  SET_OWNER(3, 0, 0, 0),
  RESET_OWNER(4, 0, 0, 0),
  SET_MEM_TABLE(5, 8, 8 + 32 * MemoryTable.MAX_REGIONS, MemoryTable.MAX_REGIONS),
  SET_VRING_NUM(8, 8, 8, 0),
  SET_VRING_ADDR(9, 40, 40, 0),
  SET_VRING_BASE(10, 8, 8, 0),
  GET_VRING_BASE(11, 8, 8, 0),
  SET_VRING_KICK(12, 8, 8, 1),
  SET_VRING_CALL(13, 8, 8, 1),
  SET_VRING_ERR(14, 8, 8, 1),
  GET_PROTOCOL_FEATURES(15, 0, 0, 0),
  SET_PROTOCOL_FEATURES(16, 8, 8, 0),
  SET_VRING_ENABLE(18, 8, 8, 0),
  GET_CONFIG(24, 12, 12 + Message.MAX_CONFIG, 0),
  SET_CONFIG(25, 12, 12 + Message.MAX_CONFIG, 0);

  private static final Request[] BY_NUMBER = new Request[26];

  static {
    for (Request request : values()) {
      BY_NUMBER[request.number] = request;
    }
  }

  private final int number;
  private final int minPayload;
  private final int maxPayload;
  private final int maxFds;

  Request(int number, int minPayload, int maxPayload, int maxFds) {
    this.number = number;
    this.minPayload = minPayload;
    this.maxPayload = maxPayload;
    this.maxFds = maxFds;
  }

  /** Returns the number on the wire. */
  int number() {
    return number;
  }

  /**
   * Returns the request with a number.
   *
   * @throws VhostUserException if it is not served
   */
  static Request of(int number) {
    Request request = number < 0 || number >= BY_NUMBER.length ? null : BY_NUMBER[number];
    if (request == null) {
      throw new VhostUserException(
          "the front-end sent request " + number + ", which is not served");
    }
    return request;
  }

  /** Rejects a payload of a wrong size. */
  void checkPayload(long size) {
    if (size < minPayload || size > maxPayload) {
      throw new VhostUserException(
          String.format(
              Locale.ROOT,
              "the payload of %s must have %d to %d bytes but had %d",
              this,
              minPayload,
              maxPayload,
              size));
    }
  }

  /** Rejects too many descriptors. */
  void checkFds(int count) {
    if (count > maxFds) {
      throw new VhostUserException(
          String.format(
              Locale.ROOT,
              "%s must bring at most %d descriptors but brought %d",
              this,
              maxFds,
              count));
    }
  }
}
