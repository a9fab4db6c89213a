package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.UnixFdChannel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads requests from, and writes replies to, a vhost-user connection.
 *
 * <p>Blocks within a message; {@link UnixFdChannel#shutdown()} ends that. Confined to one thread.
 */
final class MessageChannel {
  private final UnixFdChannel channel;
  private final ByteBuffer header =
      ByteBuffer.allocate(Message.HEADER_SIZE).order(ByteOrder.LITTLE_ENDIAN);

  MessageChannel(UnixFdChannel channel) {
    this.channel = channel;
  }

  /**
   * Reads one request, null at the end of the connection. The caller closes it.
   *
   * @throws VhostUserException if it is not legal; all descriptors are closed then
   * @throws io.github.avf4j.HypervisorException if the connection fails
   */
  @Nullable Message receive() {
    Deque<Fd> fds = new ArrayDeque<>();
    try {
      if (!fill(header.clear(), fds)) {
        return null;
      }
      Request request = Request.of(header.getInt(0));
      int flags = header.getInt(4);
      if ((flags & Message.VERSION_MASK) != Message.VERSION || (flags & Message.REPLY) != 0) {
        throw new VhostUserException(
            request + " has the wrong flags 0x" + Integer.toHexString(flags));
      }
      long size = Integer.toUnsignedLong(header.getInt(8));
      request.checkPayload(size);
      ByteBuffer payload = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
      if (payload.hasRemaining() && !fill(payload, fds)) {
        throw new VhostUserException("the connection ended inside " + request);
      }
      request.checkFds(fds.size());
      Message message =
          new Message(request, (flags & Message.NEED_REPLY) != 0, payload.flip(), fds);
      fds.clear();
      return message;
    } finally {
      fds.forEach(Fd::close);
    }
  }

  /** Fills {@code target}; false if the stream ended before the first byte. */
  private boolean fill(ByteBuffer target, Deque<Fd> fds) {
    while (target.hasRemaining()) {
      // Reading no further than the message keeps the next one's descriptors with it.
      if (channel.receive(target, fds) < 0) {
        if (target.position() == 0) {
          return false;
        }
        throw new VhostUserException("the connection ended inside a message");
      }
      if (fds.size() > UnixFdChannel.MAX_FDS) {
        throw new VhostUserException("the front-end sent too many descriptors");
      }
    }
    return true;
  }

  /** Answers {@code request} with a number. */
  void reply(Request request, long value) {
    ByteBuffer payload = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    reply(request, payload.putLong(value).flip());
  }

  /** Answers {@code request} with the rest of {@code payload}. */
  void reply(Request request, ByteBuffer payload) {
    ByteBuffer message =
        ByteBuffer.allocate(Message.HEADER_SIZE + payload.remaining())
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(request.number())
            .putInt(Message.VERSION | Message.REPLY)
            .putInt(payload.remaining())
            .put(payload);
    channel.send(message.flip(), List.of());
  }
}
