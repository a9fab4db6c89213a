package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.linux.Fd;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A request of the front-end; owns the descriptors that came along until they are taken.
 *
 * <p>On the wire: request u32, flags u32 (bits 0-1 version 1, bit 2 reply, bit 3 reply wanted),
 * payload size u32, payload; all little-endian here (the vhost-user protocol uses the host's
 * order).
 *
 * <p>Confined to one thread.
 */
final class Message implements AutoCloseable {
  static final int HEADER_SIZE = 12;
  static final int VERSION = 1;
  static final int VERSION_MASK = 3;
  static final int REPLY = 4;
  static final int NEED_REPLY = 8;

  /** The most bytes of configuration space in one message. */
  static final int MAX_CONFIG = 256;

  private final Request request;
  private final boolean replyWanted;
  private final ByteBuffer payload;
  private final Deque<Fd> fds;

  Message(Request request, boolean replyWanted, ByteBuffer payload, Deque<Fd> fds) {
    this.request = request;
    this.replyWanted = replyWanted;
    this.payload = payload;
    this.fds = new ArrayDeque<>(fds);
  }

  Request request() {
    return request;
  }

  boolean replyWanted() {
    return replyWanted;
  }

  /** Returns the payload, little-endian, from 0 to its limit. */
  ByteBuffer payload() {
    return payload;
  }

  /** Hands the next descriptor over to the caller; null if there is none left. */
  @Nullable Fd takeFd() {
    return fds.poll();
  }

  int fdCount() {
    return fds.size();
  }

  @Override
  public void close() {
    fds.forEach(Fd::close);
    fds.clear();
  }
}
