package io.github.avf4j.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * An epoll instance for reading. {@code struct epoll_event} is packed to 12 bytes on x86-64 and has
 * 16 bytes elsewhere. {@link #add} and {@link #remove} are thread-safe; {@link #await} is confined
 * to one thread at a time.
 */
final class Epoll implements AutoCloseable {
  static final int EVENT_SIZE = "amd64".equals(System.getProperty("os.arch")) ? 12 : 16;
  static final int DATA_OFFSET = EVENT_SIZE - 8;
  private static final int MAX_EVENTS = 64;

  private final Fd fd;
  private final NativeBuffer ready = NativeBuffer.allocate(MAX_EVENTS * EVENT_SIZE);
  private final ByteBuffer readyBytes = ready.bytes();

  Epoll() {
    fd = Fd.own(Errno.check("epoll_create1()", LibC.epoll_create1(LibC.EPOLL_CLOEXEC)));
  }

  /** Watches a descriptor; {@code edge} tells each arrival once. */
  void add(Fd watched, boolean edge, long data) {
    NativeBuffer event = NativeBuffer.allocate(EVENT_SIZE);
    event.bytes().putInt(0, LibC.EPOLLIN | (edge ? LibC.EPOLLET : 0));
    event.bytes().putLong(DATA_OFFSET, data);
    Errno.check(
        "epoll_ctl(EPOLL_CTL_ADD)",
        LibC.epoll_ctl(fd.number(), LibC.EPOLL_CTL_ADD, watched.number(), event.address()));
    Reference.reachabilityFence(event);
  }

  void remove(Fd watched) {
    Errno.check(
        "epoll_ctl(EPOLL_CTL_DEL)",
        LibC.epoll_ctl(fd.number(), LibC.EPOLL_CTL_DEL, watched.number(), 0));
  }

  /** Waits without limit and returns how many events there are; 0 after a signal. */
  int await() {
    int n = LibC.epoll_wait(fd.number(), ready.address(), MAX_EVENTS, -1);
    if (n < 0) {
      int errno = Errno.last();
      if (errno == Errno.EINTR) {
        return 0;
      }
      throw Errno.failure("epoll_wait()", errno);
    }
    return n;
  }

  /** Returns what was given to {@link #add} for an event of the last {@link #await}. */
  long data(int event) {
    return readyBytes.getLong(event * EVENT_SIZE + DATA_OFFSET);
  }

  @Override
  public void close() {
    fd.close();
  }
}
