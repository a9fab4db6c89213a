package io.github.avf4j.virtio.memory;

/** An access touched guest-physical addresses that are not RAM. */
public final class GuestMemoryException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The first byte of the access. */
  private final long address;

  /** The length of the access in bytes. */
  private final long length;

  /** Makes an exception for an access of {@code length} bytes at {@code address}. */
  public GuestMemoryException(long address, long length, String problem) {
    super(
        length + " bytes at guest-physical address 0x" + Long.toHexString(address) + " " + problem);
    this.address = address;
    this.length = length;
  }

  /** Returns the guest-physical address of the access. */
  public long address() {
    return address;
  }

  /** Returns the length of the access in bytes. */
  public long length() {
    return length;
  }
}
