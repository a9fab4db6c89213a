package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.linux.EventFd;
import io.github.avf4j.linux.EventLoop;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.UnixFdChannel;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.TransportFeatures;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.queue.VirtqueueException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of a front-end to a device.
 *
 * <p>The device runs between the moment when all queues that the front-end drives are complete and
 * GET_VRING_BASE of any of them, a changed memory table, or the end of the connection. Confined to
 * the event loop.
 */
final class Session implements AutoCloseable {
  /** VHOST_USER_F_PROTOCOL_FEATURES: there are protocol features, and queues start disabled. */
  static final long PROTOCOL_FEATURES = 1L << 30;

  /** VHOST_USER_PROTOCOL_F_REPLY_ACK. */
  static final long REPLY_ACK = 1L << 3;

  /** VHOST_USER_PROTOCOL_F_CONFIG. */
  static final long CONFIG = 1L << 9;

  private static final Logger LOG = LoggerFactory.getLogger(Session.class);
  private static final int NO_FD = 1 << 8;

  private final UnixFdChannel channel;
  private final MessageChannel messages;
  private final VirtioDevice device;
  private final EventLoop loop;
  private final long memoryLimit;
  private final Vring[] vrings;
  private long features;
  private long protocolFeatures;
  private @Nullable MemoryTable table;
  private boolean active;
  private boolean warned;

  /**
   * Makes a session over {@code channel}, which it closes.
   *
   * @param queues how many queues the front-end drives, from queue 0 on
   * @param memoryLimit the size of the guest's memory in bytes
   */
  Session(
      UnixFdChannel channel, VirtioDevice device, EventLoop loop, int queues, long memoryLimit) {
    this.channel = channel;
    this.messages = new MessageChannel(channel);
    this.device = device;
    this.loop = loop;
    this.memoryLimit = memoryLimit;
    this.vrings = new Vring[queues];
    for (int i = 0; i < queues; i++) {
      vrings[i] = new Vring(i, device.maxQueueSize(i));
    }
  }

  Fd fd() {
    return channel.fd();
  }

  /**
   * Reads one request and does what it says.
   *
   * @return false at the end of the connection
   * @throws VhostUserException if the front-end broke a rule: close the session
   * @throws io.github.avf4j.HypervisorException if the connection failed: close the session
   */
  boolean serve() {
    try (Message message = messages.receive()) {
      if (message == null) {
        return false;
      }
      LOG.trace("{} with {} descriptors", message.request(), message.fdCount());
      boolean answered = handle(message);
      if (!answered && message.replyWanted() && (protocolFeatures & REPLY_ACK) != 0) {
        messages.reply(message.request(), 0);
      }
      return true;
    }
  }

  /** Returns whether the request was answered. */
  private boolean handle(Message message) {
    switch (message.request()) {
      case GET_FEATURES -> messages.reply(message.request(), offered());
      case GET_PROTOCOL_FEATURES -> messages.reply(message.request(), REPLY_ACK | CONFIG);
      case GET_CONFIG -> messages.reply(message.request(), readConfig(message.payload()));
      case GET_VRING_BASE -> stopVring(message);
      default -> {
        change(message);
        return false;
      }
    }
    return true;
  }

  private void change(Message message) {
    ByteBuffer payload = message.payload();
    switch (message.request()) {
      case SET_OWNER, RESET_OWNER, SET_CONFIG -> {
        // There is one owner, and no device here has configuration that a guest may write.
      }
      case SET_FEATURES -> setFeatures(payload.getLong(0));
      case SET_PROTOCOL_FEATURES -> protocolFeatures = payload.getLong(0) & (REPLY_ACK | CONFIG);
      case SET_MEM_TABLE -> setMemoryTable(message);
      case SET_VRING_NUM -> stopped(vring(payload)).size(payload.getInt(4));
      case SET_VRING_BASE -> stopped(vring(payload)).base(payload.getInt(4));
      case SET_VRING_ADDR ->
          stopped(vring(payload))
              .addresses(payload.getLong(8), payload.getLong(16), payload.getLong(24));
      case SET_VRING_KICK -> setKick(message);
      case SET_VRING_CALL -> vringOfFd(payload).call(eventFd(message));
      case SET_VRING_ERR -> vringOfFd(payload).error(eventFd(message));
      case SET_VRING_ENABLE -> enable(vring(payload), payload.getInt(4));
      default -> throw new VhostUserException(message.request() + " is not served");
    }
  }

  private long offered() {
    return device.features()
        | TransportFeatures.VERSION_1
        | TransportFeatures.EVENT_IDX
        | TransportFeatures.INDIRECT_DESC
        | PROTOCOL_FEATURES;
  }

  private void setFeatures(long accepted) {
    if ((accepted & ~offered()) != 0) {
      throw new VhostUserException(
          "the front-end accepts features that were not offered: 0x" + Long.toHexString(accepted));
    }
    if (active) {
      throw new VhostUserException("the front-end changes features while the device runs");
    }
    features = accepted;
    if ((accepted & PROTOCOL_FEATURES) == 0) {
      for (Vring vring : vrings) {
        vring.enabled(true);
      }
    }
  }

  private ByteBuffer readConfig(ByteBuffer request) {
    int offset = request.getInt(0);
    int size = request.getInt(4);
    if (size < 0 || size > Message.MAX_CONFIG || offset < 0 || offset > Message.MAX_CONFIG - size) {
      throw new VhostUserException(
          "a read of " + size + " bytes of configuration space at " + offset + " is out of bounds");
    }
    ByteBuffer reply = ByteBuffer.allocate(12 + size).order(ByteOrder.LITTLE_ENDIAN);
    reply.putInt(offset).putInt(size).putInt(0);
    for (int i = 0; i < size; i++) {
      reply.put((byte) device.readConfig(offset + i, 1));
    }
    return reply.flip();
  }

  private void setMemoryTable(Message message) {
    List<MemoryTable.Region> regions = MemoryTable.parse(message, memoryLimit);
    if (table != null && table.isOf(regions)) {
      return;
    }
    if (active) {
      throw new VhostUserException("the front-end changes guest memory while the device runs");
    }
    MemoryTable mapped = MemoryTable.map(regions, message);
    if (table != null) {
      table.close();
    }
    table = mapped;
  }

  private void setKick(Message message) {
    Vring vring = vringOfFd(message.payload());
    EventFd eventFd = eventFd(message);
    if (eventFd == null) {
      throw new VhostUserException("queues without a kick eventfd are not served");
    }
    forgetKick(vring);
    vring.kick(eventFd);
    int index = vring.index();
    loop.onSignal(eventFd, () -> kicked(index));
    tryActivate();
  }

  private void kicked(int index) {
    if (active) {
      device.queueNotified(index);
    }
  }

  private void enable(Vring vring, int value) {
    vring.enabled(value != 0);
    if (value != 0) {
      tryActivate();
    } else {
      deactivate();
    }
  }

  private void tryActivate() {
    MemoryTable memory = table;
    if (active || memory == null) {
      return;
    }
    for (Vring vring : vrings) {
      if (!vring.isReady()) {
        return;
      }
    }
    Virtqueue[] queues = new Virtqueue[device.queueCount()];
    try {
      for (int i = 0; i < vrings.length; i++) {
        queues[i] = vrings[i].open(memory, features);
      }
    } catch (VirtqueueException | VhostUserException e) {
      if (!warned) { // a guest can do this as often as it likes
        warned = true;
        LOG.warn("a guest's queue cannot be used: {}", e.getMessage());
      }
      for (Vring vring : vrings) {
        vring.stop();
        vring.reportError();
      }
      return;
    }
    active = true;
    device.activate(queues, features & ~PROTOCOL_FEATURES, interrupts());
    notifyAllQueues(); // for what was made available before
  }

  private InterruptLine interrupts() {
    return new InterruptLine() {
      @Override
      public void queueUsed(int queue) {
        if (queue < vrings.length) {
          vrings[queue].interrupt();
        }
      }

      @Override
      public void configChanged() {
        // The configuration of a device here never changes.
      }
    };
  }

  private void notifyAllQueues() {
    for (int i = 0; i < vrings.length; i++) {
      device.queueNotified(i);
    }
  }

  private void stopVring(Message message) {
    Vring vring = vring(message.payload());
    if (active) {
      notifyAllQueues(); // what the guest sent before it stopped must not be lost
    }
    deactivate();
    forgetKick(vring);
    vring.kick(null);
    ByteBuffer reply = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    messages.reply(message.request(), reply.putInt(vring.index()).putInt(vring.base()).flip());
  }

  private void deactivate() {
    if (active) {
      active = false;
      device.reset();
      for (Vring vring : vrings) {
        vring.stop();
      }
    }
  }

  private Vring vring(ByteBuffer payload) {
    int index = payload.getInt(0);
    if (index < 0 || index >= vrings.length) {
      throw new VhostUserException("there is no queue " + index);
    }
    return vrings[index];
  }

  private Vring stopped(Vring vring) {
    if (active) {
      throw new VhostUserException("the front-end changes a queue while the device runs");
    }
    return vring;
  }

  private Vring vringOfFd(ByteBuffer payload) {
    long value = payload.getLong(0);
    int index = (int) (value & 0xff);
    if ((value & ~0x1ffL) != 0 || index >= vrings.length) {
      throw new VhostUserException("there is no queue 0x" + Long.toHexString(value));
    }
    return vrings[index];
  }

  private static @Nullable EventFd eventFd(Message message) {
    boolean none = (message.payload().getLong(0) & NO_FD) != 0;
    Fd fd = message.takeFd();
    if (none != (fd == null)) {
      if (fd != null) {
        fd.close();
      }
      throw new VhostUserException(message.request() + " says otherwise than it brings");
    }
    return fd == null ? null : EventFds.own(fd);
  }

  private void forgetKick(Vring vring) {
    EventFd old = vring.kick();
    if (old != null) {
      loop.remove(old.fd());
    }
  }

  /** Stops the device, and gives back memory and descriptors. */
  @Override
  public void close() {
    if (active) {
      notifyAllQueues();
    }
    deactivate();
    for (Vring vring : vrings) {
      forgetKick(vring);
      vring.close();
    }
    if (table != null) {
      table.close();
      table = null;
    }
    channel.close();
  }
}
