package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.linux.EventFd;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.MemFd;
import io.github.avf4j.linux.MemoryMapping;
import io.github.avf4j.linux.UnixFdChannel;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * QEMU's side of vhost-user, by hand: sends any request, right or wrong. Guest memory is a memfd at
 * guest-physical address {@link #BASE} and pretended user address {@link #USER}. Confined to one
 * thread.
 */
final class FrontEnd implements AutoCloseable {
  static final long SIZE = 1 << 20;
  static final long BASE = 0x100000;
  static final long USER = 0x7f00_0000_0000L;
  static final Duration LIMIT = Duration.ofSeconds(20);

  private final UnixFdChannel channel;
  private final MemFd file = MemFd.create("guest", SIZE);
  private final MemoryMapping mapping = MemoryMapping.shared(file.fd(), 0, SIZE);
  private final List<EventFd> eventFds = new ArrayList<>();
  final GuestMemory memory = GuestMemory.of(List.of(new GuestRegion(BASE, SIZE, mapping.chunks())));

  FrontEnd(Path socket) {
    file.sealSize(); // as QEMU does
    channel = UnixFdChannel.connect(socket);
  }

  Fd memoryFd() {
    return file.fd();
  }

  EventFd eventFd() {
    EventFd eventFd = EventFd.create();
    eventFds.add(eventFd);
    return eventFd;
  }

  static ByteBuffer bytes(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  static ByteBuffer u64(long value) {
    return bytes(8).putLong(value).flip();
  }

  static ByteBuffer state(int index, int value) {
    return bytes(8).putInt(index).putInt(value).flip();
  }

  /** Sends a request with any header. */
  void raw(int request, int flags, int size, ByteBuffer payload, Fd... fds) {
    ByteBuffer message = bytes(12 + payload.remaining());
    message.putInt(request).putInt(flags).putInt(size).put(payload);
    channel.send(message.flip(), List.of(fds));
  }

  void send(Request request, ByteBuffer payload, Fd... fds) {
    raw(request.number(), 1, payload.remaining(), payload, fds);
  }

  /** Sends a request and waits for the acknowledgement; REPLY_ACK was negotiated. */
  void sendAcked(Request request, ByteBuffer payload, Fd... fds) {
    raw(request.number(), 1 | Message.NEED_REPLY, payload.remaining(), payload, fds);
    if (reply(request).getLong(0) != 0) {
      throw new AssertionError(request + " was refused");
    }
  }

  /** Sends a request that has an answer, and returns that. */
  ByteBuffer ask(Request request, ByteBuffer payload) {
    send(request, payload);
    return reply(request);
  }

  private ByteBuffer reply(Request request) {
    ByteBuffer header = fill(bytes(12));
    if (header.getInt(0) != request.number() || header.getInt(4) != 5) {
      throw new AssertionError("the reply's header is wrong: " + header.getInt(0));
    }
    return fill(bytes(header.getInt(8)));
  }

  private ByteBuffer fill(ByteBuffer target) {
    Deque<Fd> none = new ArrayDeque<>();
    while (target.hasRemaining()) {
      if (!channel.awaitReadable(LIMIT) || channel.receive(target, none) < 0) {
        throw new AssertionError("no reply came");
      }
    }
    return target.flip();
  }

  /** Returns whether the back-end closes the connection in time. */
  boolean isClosedByPeer() {
    if (!channel.awaitReadable(LIMIT)) {
      return false;
    }
    try {
      return channel.receive(bytes(64), new ArrayDeque<>()) < 0;
    } catch (HypervisorException e) {
      return true; // reset, as it had not read all that was sent
    }
  }

  ByteBuffer table(int count, long guest, long size, long user, long offset) {
    ByteBuffer payload = bytes(8 + 32 * Math.max(count, 1)).putInt(count).putInt(0);
    payload.putLong(guest).putLong(size).putLong(user).putLong(offset);
    return payload.rewind();
  }

  /** Negotiates as QEMU does. */
  void negotiate(long features) {
    send(Request.SET_OWNER, bytes(0));
    send(Request.SET_PROTOCOL_FEATURES, u64(Session.REPLY_ACK | Session.CONFIG));
    send(Request.SET_FEATURES, u64(features | Session.PROTOCOL_FEATURES));
    sendAcked(Request.SET_MEM_TABLE, table(1, BASE, SIZE, USER, 0), memoryFd());
  }

  /** Gives queue {@code index} of {@code size} at the three guest-physical addresses. */
  void setUp(int index, int size, long desc, long avail, long used, EventFd kick, EventFd call) {
    long delta = USER - BASE;
    send(Request.SET_VRING_NUM, state(index, size));
    send(Request.SET_VRING_BASE, state(index, 0));
    send(Request.SET_VRING_ADDR, addresses(index, desc + delta, used + delta, avail + delta));
    send(Request.SET_VRING_CALL, u64(index), call.fd());
    send(Request.SET_VRING_KICK, u64(index), kick.fd());
    sendAcked(Request.SET_VRING_ENABLE, state(index, 1));
  }

  static ByteBuffer addresses(int index, long desc, long used, long avail) {
    return bytes(40).putInt(index).putInt(0).putLong(desc).putLong(used).putLong(avail).rewind();
  }

  @Override
  public void close() {
    channel.close();
    eventFds.forEach(EventFd::close);
    mapping.close();
    file.close();
  }
}
