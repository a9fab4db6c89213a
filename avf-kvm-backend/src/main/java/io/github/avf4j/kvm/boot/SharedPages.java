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
  private static final String PROBLEM = "are not shared with the host by the guest";

  private final GuestRam ram;
  private final ToleratedCopy copy = new ToleratedCopy();

  /** Reaches {@code ram}, which is closed after this object. */
  public SharedPages(GuestRam ram) {
    this.ram = ram;
  }

  @Override
  public long load(long gpa, int width) {
    try {
      return copy.load(ram.address(gpa), width);
    } catch (UnreachableMemoryException e) {
      throw new GuestMemoryException(gpa, width, PROBLEM);
    }
  }

  @Override
  public void store(long gpa, int width, long value) {
    try {
      copy.store(ram.address(gpa), width, value);
    } catch (UnreachableMemoryException e) {
      throw new GuestMemoryException(gpa, width, PROBLEM);
    }
  }

  @Override
  public void read(long gpa, ByteBuffer target) {
    int length = target.remaining();
    try {
      copy.read(ram.address(gpa), target);
    } catch (UnreachableMemoryException e) {
      throw new GuestMemoryException(gpa, length, PROBLEM);
    }
  }

  @Override
  public void write(long gpa, ByteBuffer source) {
    int length = source.remaining();
    try {
      copy.write(ram.address(gpa), source);
    } catch (UnreachableMemoryException e) {
      throw new GuestMemoryException(gpa, length, PROBLEM);
    }
  }

  @Override
  public void close() {
    copy.close();
  }
}
