package io.github.avf4j;

/**
 * The context identifier of a virtual machine: its address in vsock.
 *
 * <p>Thread-safe.
 *
 * @param value 3 to 4294967294; 0 to 2 and 4294967295 have a meaning of their own
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.2/virtio-v1.2.html">virtio 1.2,
 *     5.10.4</a>
 */
public record Cid(long value) {
  /** The context identifier of the host as guests see it. */
  public static final long HOST = 2;

  /** Rejects reserved and oversized numbers. */
  public Cid {
    if (value < 3 || value > 0xFFFF_FFFEL) {
      throw new IllegalArgumentException("a guest CID must be in 3..4294967294 but was " + value);
    }
  }

  @Override
  public String toString() {
    return Long.toString(value);
  }
}
