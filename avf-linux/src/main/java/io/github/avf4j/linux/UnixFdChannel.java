package io.github.avf4j.linux;

import io.github.avf4j.HypervisorException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;

/**
 * A connected Unix stream socket that carries descriptors (SCM_RIGHTS) beside bytes.
 *
 * <p>One thread may send while another receives. {@link #shutdown()} may be called at any time and
 * wakes both; {@link #close()} only when no thread is in another method.
 */
public final class UnixFdChannel implements AutoCloseable {
  /** The most descriptors in one message. */
  public static final int MAX_FDS = 32;

  private static final int MAX_BYTES = 4096;

  private final Fd fd;
  private final Message incoming = new Message();
  private final Message outgoing = new Message();

  UnixFdChannel(Fd fd) {
    this.fd = fd;
  }

  static Fd streamSocket() {
    int fd = LibC.socket(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC, 0);
    return Fd.own(Errno.check("socket(AF_UNIX)", fd));
  }

  /**
   * Connects to a listening socket.
   *
   * @throws IllegalArgumentException if the path is longer than 107 bytes
   * @throws HypervisorException with the error number if nobody listens
   */
  public static UnixFdChannel connect(Path path) {
    NativeBuffer address = SocketAddresses.of(path);
    Fd fd = streamSocket();
    try {
      Errno.check(
          "connect(" + path + ")",
          LibC.connect(fd.number(), address.address(), SocketAddresses.SIZE));
      Reference.reachabilityFence(address);
      return new UnixFdChannel(fd);
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  /** Returns the two ends of a new connection. */
  public static List<UnixFdChannel> pair() {
    NativeBuffer fds = NativeBuffer.allocate(8);
    Errno.check(
        "socketpair()",
        LibC.socketpair(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC, 0, fds.address()));
    return List.of(
        new UnixFdChannel(Fd.own(fds.bytes().getInt(0))),
        new UnixFdChannel(Fd.own(fds.bytes().getInt(4))));
  }

  /** Returns the descriptor, still owned by this object. */
  public Fd fd() {
    return fd;
  }

  /** Waits until there is something to receive; false when {@code timeout} has passed. */
  public boolean awaitReadable(Duration timeout) {
    return awaitReadable(fd, timeout);
  }

  static boolean awaitReadable(Fd fd, Duration timeout) {
    NativeBuffer poll = NativeBuffer.allocate(8);
    poll.bytes().putInt(0, fd.number());
    poll.bytes().putShort(4, (short) LibC.POLLIN);
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      long left = Math.max(0, deadline - System.nanoTime());
      int millis = (int) Math.min(Integer.MAX_VALUE, (left + 999_999) / 1_000_000);
      int n = LibC.poll(poll.address(), 1, millis);
      if (n < 0 && Errno.last() != Errno.EINTR) {
        throw Errno.failure("poll()", Errno.last());
      }
      if (n > 0 || left == 0) {
        return n > 0;
      }
    }
  }

  /**
   * Receives up to 4096 bytes into {@code target}; blocks until there is at least one.
   *
   * @param received gets the descriptors that came along, close-on-exec; the caller owns them
   * @return the number of bytes, -1 at the end of the stream
   * @throws HypervisorException if the connection fails or more than {@link #MAX_FDS} descriptors
   *     came at once
   */
  public int receive(ByteBuffer target, Collection<Fd> received) {
    int want = Math.min(target.remaining(), MAX_BYTES);
    if (want == 0) {
      return 0;
    }
    incoming.prepare(want, Message.CONTROL_SIZE);
    long n;
    do {
      n = LibC.recvmsg(fd.number(), incoming.header.address(), LibC.MSG_CMSG_CLOEXEC);
    } while (n < 0 && Errno.last() == Errno.EINTR);
    Errno.check("recvmsg()", n);
    incoming.takeFds(received);
    if (n == 0) {
      return -1;
    }
    target.put(incoming.data.bytes().slice(0, (int) n));
    return (int) n;
  }

  /**
   * Sends all of {@code source}, at least one byte, and the descriptors with its first byte. Blocks
   * while the other end does not read.
   *
   * @param sent stay the caller's
   * @throws HypervisorException if the connection fails
   */
  public void send(ByteBuffer source, List<Fd> sent) {
    if (!source.hasRemaining() || sent.size() > MAX_FDS) {
      throw new IllegalArgumentException(
          "a message needs a byte and at most " + MAX_FDS + " descriptors but had " + sent.size());
    }
    List<Fd> fds = sent;
    while (source.hasRemaining()) {
      int length = Math.min(source.remaining(), MAX_BYTES);
      outgoing.data.bytes().put(0, source, source.position(), length);
      outgoing.prepare(length, outgoing.putFds(fds));
      long n;
      do {
        n = LibC.sendmsg(fd.number(), outgoing.header.address(), LibC.MSG_NOSIGNAL);
      } while (n < 0 && Errno.last() == Errno.EINTR);
      Errno.check("sendmsg()", n);
      source.position(source.position() + (int) n);
      fds = List.of();
    }
  }

  /** Ends the connection in both directions and wakes threads that wait. Idempotent. */
  public void shutdown() {
    if (!fd.isClosed()) {
      LibC.shutdown(fd.number(), LibC.SHUT_RDWR);
    }
  }

  @Override
  public void close() {
    fd.close();
  }

  /**
   * {@code struct msghdr} (56 bytes: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen
   * 40, flags 48) with one {@code struct iovec} (base 0, len 8) and one {@code struct cmsghdr} (len
   * 0, level 8, type 12, data 16). Confined to one thread.
   */
  static final class Message {
    static final int HEADER_SIZE = 56;
    static final int CMSG_DATA = 16;
    static final int CONTROL_SIZE = CMSG_DATA + 4 * MAX_FDS;

    final NativeBuffer header = NativeBuffer.allocate(HEADER_SIZE);
    final NativeBuffer vector = NativeBuffer.allocate(16);
    final NativeBuffer control = NativeBuffer.allocate(CONTROL_SIZE);
    final NativeBuffer data = NativeBuffer.allocate(MAX_BYTES);

    void prepare(int length, int controlLength) {
      vector.bytes().putLong(0, data.address()).putLong(8, length);
      header
          .bytes()
          .putLong(16, vector.address())
          .putLong(24, 1)
          .putLong(32, controlLength == 0 ? 0 : control.address())
          .putLong(40, controlLength)
          .putInt(48, 0);
    }

    int putFds(List<Fd> fds) {
      if (fds.isEmpty()) {
        return 0;
      }
      int length = CMSG_DATA + 4 * fds.size();
      control.bytes().putLong(0, length).putInt(8, LibC.SOL_SOCKET).putInt(12, LibC.SCM_RIGHTS);
      for (int i = 0; i < fds.size(); i++) {
        control.bytes().putInt(CMSG_DATA + 4 * i, fds.get(i).number());
      }
      return (length + 7) & ~7;
    }

    void takeFds(Collection<Fd> received) {
      long controlLength = header.bytes().getLong(40);
      if (controlLength >= CMSG_DATA
          && control.bytes().getInt(8) == LibC.SOL_SOCKET
          && control.bytes().getInt(12) == LibC.SCM_RIGHTS) {
        long length = Math.min(control.bytes().getLong(0), controlLength);
        for (int at = CMSG_DATA; at + 4 <= length; at += 4) {
          received.add(Fd.own(control.bytes().getInt(at)));
        }
      }
      if ((header.bytes().getInt(48) & LibC.MSG_CTRUNC) != 0) {
        received.forEach(Fd::close);
        received.clear();
        throw new HypervisorException(
            "recvmsg()", 0, "more than " + MAX_FDS + " descriptors came in one message");
      }
    }
  }
}
