package io.github.avf4j.virtio.vsock;

/**
 * Flow control of one connection in both directions (virtio 1.2, 5.10.6.3). All counters are
 * unsigned 32-bit numbers that wrap.
 *
 * <p>Guarded by the device's lock.
 */
final class Credit {
  private static final int MAX_STEP = 64 << 10;

  private int sent;
  private int peerForwarded;
  private int peerBuffer;

  private int received;
  private int forwarded;
  private int toldForwarded;
  private int buffer;
  private int toldBuffer;

  /** Makes the state of a new connection for which the host holds up to {@code buffer} bytes. */
  Credit(int buffer) {
    this.buffer = buffer;
    this.toldBuffer = buffer;
  }

  /**
   * Takes the peer's buf_alloc and fwd_cnt, which every packet carries.
   *
   * @return whether they can be true: a peer cannot forward what was not sent
   */
  boolean update(int bufferSize, int peerCount) {
    if (peerCount - sent > 0) {
      return false;
    }
    // Guests queue packets on several CPUs, so an older count may come after a newer one.
    if (peerCount - peerForwarded > 0) {
      peerForwarded = peerCount;
    }
    peerBuffer = (int) Math.min(bufferSize & 0xffff_ffffL, Integer.MAX_VALUE);
    return true;
  }

  /** Returns how many bytes may be sent; a peer that shrinks its buffer can make this zero only. */
  int free() {
    return Math.max(0, peerBuffer - (sent - peerForwarded));
  }

  void sent(int bytes) {
    sent += bytes;
  }

  /** Counts bytes that came; false if the peer had no credit for them. */
  boolean received(int bytes) {
    if (bytes > buffer - (received - forwarded)) {
      return false;
    }
    received += bytes;
    return true;
  }

  /** Counts bytes that the host's program has taken. */
  void forwarded(int bytes) {
    forwarded += bytes;
  }

  /** Lets the peer send more at a time; returns whether it should hear of that at once. */
  boolean enlarge(int newBuffer) {
    buffer = newBuffer;
    return updateDue();
  }

  int buffer() {
    return buffer;
  }

  /** Returns the count to put into a packet, which is thereby told. */
  int tellForwarded() {
    toldForwarded = forwarded;
    toldBuffer = buffer;
    return forwarded;
  }

  /**
   * Says whether the peer should hear of the room there is: it believes that less than half is, and
   * is wrong by enough. It believes what it was told, also of the buffer's size.
   */
  boolean updateDue() {
    int believed = toldBuffer - (received - toldForwarded);
    int free = buffer - (received - forwarded);
    return believed < toldBuffer / 2 && free - believed >= Math.min(buffer / 4, MAX_STEP);
  }
}
