package io.github.avf4j.linux;

/**
 * An eventfd: a counter in the kernel that one side signals and the other waits for. Non-blocking,
 * close-on-exec.
 *
 * <p>{@link #signal()} after {@link #close()} does nothing, so that a late interrupt of a device
 * that is being closed cannot reach a descriptor of somebody else. Thread-safe.
 */
public final class EventFd implements AutoCloseable {
  private final Fd fd;
  private final Object lock = new Object();

  private EventFd(Fd fd) {
    this.fd = fd;
  }

  /**
   * Makes an eventfd with the counter 0.
   *
   * @throws io.github.avf4j.HypervisorException if there are no descriptors left
   */
  public static EventFd create() {
    int fd = LibC.eventfd(0, LibC.EFD_CLOEXEC | LibC.EFD_NONBLOCK);
    return new EventFd(Fd.own(Errno.check("eventfd()", fd)));
  }

  /** Takes over an eventfd that came from another process. */
  public static EventFd own(Fd fd) {
    return new EventFd(fd);
  }

  /** Adds 1 to the counter; never blocks. */
  public void signal() {
    synchronized (lock) {
      if (!fd.isClosed()) {
        LibC.eventfd_write(fd.number(), 1);
      }
    }
  }

  /** Returns the counter and sets it to 0; 0 if nothing was signalled. Meant for tests. */
  public long drain() {
    NativeBuffer value = NativeBuffer.allocate(8);
    synchronized (lock) {
      if (fd.isClosed() || LibC.eventfd_read(fd.number(), value.address()) != 0) {
        return 0;
      }
    }
    return value.bytes().getLong(0);
  }

  /** Returns the descriptor, still owned by this object. */
  public Fd fd() {
    return fd;
  }

  @Override
  public void close() {
    synchronized (lock) {
      fd.close();
    }
  }
}
