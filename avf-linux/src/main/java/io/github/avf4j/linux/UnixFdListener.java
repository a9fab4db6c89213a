package io.github.avf4j.linux;

import java.lang.ref.Reference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** A listening Unix stream socket whose connections can carry descriptors. Thread-safe. */
public final class UnixFdListener implements AutoCloseable {
  private final Fd fd;

  private UnixFdListener(Fd fd) {
    this.fd = fd;
  }

  /**
   * Binds a socket to a path that does not exist yet. The caller deletes the file in the end.
   *
   * @throws IllegalArgumentException if the path is longer than 107 bytes
   * @throws io.github.avf4j.HypervisorException if it cannot be bound
   */
  public static UnixFdListener bind(Path path) {
    NativeBuffer address = SocketAddresses.of(path);
    Fd fd = UnixFdChannel.streamSocket();
    try {
      Errno.check(
          "bind(" + path + ")", LibC.bind(fd.number(), address.address(), SocketAddresses.SIZE));
      Errno.check("listen(" + path + ")", LibC.listen(fd.number(), 8));
      Reference.reachabilityFence(address);
      return new UnixFdListener(fd);
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  /**
   * Waits for a connection.
   *
   * @return empty when {@code timeout} has passed
   * @throws io.github.avf4j.HypervisorException if the socket fails
   */
  public Optional<UnixFdChannel> accept(Duration timeout) {
    if (!UnixFdChannel.awaitReadable(fd, timeout)) {
      return Optional.empty();
    }
    int connection = LibC.accept4(fd.number(), 0, 0, LibC.SOCK_CLOEXEC);
    return Optional.of(new UnixFdChannel(Fd.own(Errno.check("accept4()", connection))));
  }

  /** Returns the descriptor, still owned by this object. */
  public Fd fd() {
    return fd;
  }

  @Override
  public void close() {
    fd.close();
  }
}
