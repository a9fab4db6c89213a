package io.github.avf4j.linux;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Copies to and from memory that may be out of this process's reach, such as pages that a protected
 * guest has not shared: where an access by the JVM would end it, a copy fails and harms nobody.
 *
 * <p>The kernel does the copying: {@code pwrite} to a file in memory loads from an address, {@code
 * pread} stores to one, and both return EFAULT for memory that cannot be reached. Calls that pin
 * pages instead ({@code process_vm_readv}) must not be used: they take the page from the guest. An
 * access of 2, 4 or 8 aligned bytes is one load or store of the kernel's copying routines on arm64.
 * A copy through a pipe would do as well, at two system calls instead of one: measured, it took 1.2
 * to 1.4 times as long for 2 bytes; for 64 KiB neither was ahead.
 *
 * <p>Each copy has a stage of its own, a file in memory and a view of it, so that copies never wait
 * for each other; there are as many as there were copies at the same time. Thread-safe, but {@link
 * #close()} comes after the last copy.
 */
public final class ToleratedCopy implements AutoCloseable {
  /** How many bytes are copied at once. */
  static final int STAGE_SIZE = 64 << 10;

  /** How many stages are kept; a power of two. */
  private static final int KEPT = 16;

  private final AtomicReferenceArray<@Nullable Stage> idle = new AtomicReferenceArray<>(KEPT);

  /** A file in memory and its view. Used by one thread at a time. */
  private static final class Stage {
    private final MemFd file;
    private final int fd;
    private final MemoryMapping mapping;
    private final ByteBuffer bytes;

    Stage() {
      file = MemFd.create("avf-stage", STAGE_SIZE);
      try {
        fd = file.fd().number();
        mapping = MemoryMapping.shared(file.fd(), 0, STAGE_SIZE);
        bytes = mapping.chunks().get(0);
      } catch (RuntimeException e) {
        file.close();
        throw e;
      }
    }

    /** Brings bytes here; {@code address} is another one after each part that was copied. */
    void fetch(long address, int length) throws UnreachableMemoryException {
      VarHandle.fullFence(); // the system call orders nothing
      for (int done = 0; done < length; ) {
        long n = Copying.in(fd, address + done, length - done, done);
        done += progress("pwrite(avf-stage)", n, address + done);
      }
      VarHandle.fullFence();
    }

    /** Takes bytes from here. */
    void deliver(long address, int length) throws UnreachableMemoryException {
      VarHandle.fullFence();
      for (int done = 0; done < length; ) {
        long n = Copying.out(fd, address + done, length - done, done);
        done += progress("pread(avf-stage)", n, address + done);
      }
      VarHandle.fullFence();
    }

    private static int progress(String call, long result, long address)
        throws UnreachableMemoryException {
      if (result > 0) {
        return (int) result;
      }
      int errno = result == 0 ? Errno.EFAULT : (int) -result;
      if (errno == Errno.EFAULT) {
        throw new UnreachableMemoryException(address);
      }
      if (errno == Errno.EINTR) {
        return 0;
      }
      throw Errno.failure(call, errno);
    }

    void close() {
      mapping.close();
      file.close();
    }
  }

  /** Loads {@code width} (1, 2, 4 or 8) bytes, little-endian and zero-extended. */
  public long load(long address, int width) throws UnreachableMemoryException {
    Stage stage = take();
    try {
      stage.fetch(address, width);
      return switch (width) {
        case 1 -> Byte.toUnsignedLong(stage.bytes.get(0));
        case 2 -> Short.toUnsignedLong(stage.bytes.getShort(0));
        case 4 -> Integer.toUnsignedLong(stage.bytes.getInt(0));
        default -> stage.bytes.getLong(0);
      };
    } finally {
      giveBack(stage);
    }
  }

  /** Stores the low {@code width} (1, 2, 4 or 8) bytes of {@code value}, little-endian. */
  public void store(long address, int width, long value) throws UnreachableMemoryException {
    Stage stage = take();
    try {
      stage.bytes.putLong(0, value);
      stage.deliver(address, width);
    } finally {
      giveBack(stage);
    }
  }

  /** Fills what remains of {@code target}; if it throws, with the bytes up to some place only. */
  public void read(long address, ByteBuffer target) throws UnreachableMemoryException {
    Stage stage = take();
    try {
      for (long at = address; target.hasRemaining(); ) {
        int n = Math.min(target.remaining(), STAGE_SIZE);
        stage.fetch(at, n);
        target.put(target.position(), stage.bytes, 0, n);
        target.position(target.position() + n);
        at += n;
      }
    } finally {
      giveBack(stage);
    }
  }

  /** Copies what remains of {@code source}; if it throws, the bytes up to some place only. */
  public void write(long address, ByteBuffer source) throws UnreachableMemoryException {
    Stage stage = take();
    try {
      for (long at = address; source.hasRemaining(); ) {
        int n = Math.min(source.remaining(), STAGE_SIZE);
        stage.bytes.put(0, source, source.position(), n);
        stage.deliver(at, n);
        source.position(source.position() + n);
        at += n;
      }
    } finally {
      giveBack(stage);
    }
  }

  private Stage take() {
    int start = (int) Thread.currentThread().getId();
    for (int i = 0; i < KEPT; i++) {
      int slot = start + i & KEPT - 1;
      // A thread finds the stage that it gave back last, unless several threads share the slot.
      if (idle.getOpaque(slot) != null) {
        Stage stage = idle.getAndSet(slot, null);
        if (stage != null) {
          return stage;
        }
      }
    }
    return new Stage();
  }

  private void giveBack(Stage stage) {
    int start = (int) Thread.currentThread().getId();
    for (int i = 0; i < KEPT; i++) {
      if (idle.compareAndSet(start + i & KEPT - 1, null, stage)) {
        return;
      }
    }
    stage.close();
  }

  /** Gives the stages back. */
  @Override
  public void close() {
    for (int i = 0; i < KEPT; i++) {
      Stage stage = idle.getAndSet(i, null);
      if (stage != null) {
        stage.close();
      }
    }
  }
}
