package io.github.avf4j.kvm.boot;

import io.github.avf4j.linux.ToleratedCopy;
import io.github.avf4j.linux.UnreachableMemoryException;
import io.github.avf4j.virtio.memory.GuardedAccess;
import io.github.avf4j.virtio.memory.GuestMemoryException;
import java.nio.ByteBuffer;

/**
 * The memory of a protected guest, of which the host reaches the pages that the guest shares. It
 * shares and unshares without telling the monitor, so every access finds out anew.
 *
 * <p>{@link #close()} comes after the last access. Thread-safe.
 */
public final class SharedPages implements GuardedAccess, AutoCloseable {
  /** What is done at an address of this process; its result may mean nothing. */
  @FunctionalInterface
  private interface Access {
    long at(long address) throws UnreachableMemoryException;
  }

  private final GuestRam ram;
  private final ToleratedCopy copy = new ToleratedCopy();

  /** Reaches {@code ram}, which is closed after this object. */
  public SharedPages(GuestRam ram) {
    this.ram = ram;
  }

  @Override
  public long load(long gpa, int width) {
    return access(gpa, width, address -> copy.load(address, width));
  }

  @Override
  public void store(long gpa, int width, long value) {
    access(
        gpa,
        width,
        address -> {
          copy.store(address, width, value);
          return 0;
        });
  }

  @Override
  public void read(long gpa, ByteBuffer target) {
    access(
        gpa,
        target.remaining(),
        address -> {
          copy.read(address, target);
          return 0;
        });
  }

  @Override
  public void write(long gpa, ByteBuffer source) {
    access(
        gpa,
        source.remaining(),
        address -> {
          copy.write(address, source);
          return 0;
        });
  }

  private long access(long gpa, int length, Access access) {
    try {
      return access.at(ram.address(gpa));
    } catch (UnreachableMemoryException e) {
      throw new GuestMemoryException(gpa, length, "are not shared with the host by the guest");
    }
  }

  @Override
  public void close() {
    copy.close();
  }
}
