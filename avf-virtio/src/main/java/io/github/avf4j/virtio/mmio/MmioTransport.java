package io.github.avf4j.virtio.mmio;

import io.github.avf4j.virtio.ConfigSpace;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.queue.VirtqueueException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A virtio device behind the registers of virtio-mmio version 2 (virtio 1.2, section 4.2).
 *
 * <p>Whatever a driver does out of order is ignored, or marks the device NEEDS_RESET; no access
 * throws. The status follows 0, ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK; features can be
 * written before FEATURES_OK, queues set up between FEATURES_OK and DRIVER_OK, and nothing of
 * either changes afterwards but by a reset. A notification that comes before DRIVER_OK is
 * remembered.
 *
 * <p>Registers are accessed by vCPU threads, notifications come from the event loop. Status,
 * interrupt status, acknowledgement and configuration space never block; other accesses wait while
 * the device works on a notification. A reset or {@link #close()} stops the queues first, so that
 * such work ends soon. Thread-safe.
 */
public final class MmioTransport implements AutoCloseable {
  /** The offset of the register to which a driver writes the number of a queue to notify it. */
  public static final int QUEUE_NOTIFY = Registers.QUEUE_NOTIFY;

  private static final Logger LOG = LoggerFactory.getLogger(MmioTransport.class);
  private static final int MAGIC = 0x74726976;
  private static final int VERSION = 2;

  /** "AVF4" in ASCII; drivers do not match on it. */
  private static final int VENDOR = 0x34465641;

  private final VirtioDevice device;
  private final GuestMemory memory;
  private final InterruptState interrupts;
  private final DriverRegisters registers;
  private final Object lock = new Object();

  /** Written under the lock only. */
  private volatile int status;

  /** The running queues; null unless the device is active. Written under the lock only. */
  private volatile @Nullable Activation activation;

  private long earlyNotifications;
  private long problems;
  private boolean closed;

  /** Makes a transport for {@code device}, which it owns from now on. */
  public MmioTransport(VirtioDevice device, GuestMemory memory, InterruptSignal signal) {
    this(device, memory, signal, false);
  }

  /**
   * Makes a transport for {@code device}, which it owns from now on.
   *
   * @param accessPlatform whether the driver must use only memory that its platform lets devices
   *     see, as a protected machine's must
   */
  public MmioTransport(
      VirtioDevice device, GuestMemory memory, InterruptSignal signal, boolean accessPlatform) {
    if (device.queueCount() > Long.SIZE) {
      throw new IllegalArgumentException(
          "a device must have at most 64 queues but has " + device.queueCount());
    }
    this.device = device;
    this.memory = memory;
    interrupts = new InterruptState(signal);
    registers = new DriverRegisters(device, accessPlatform);
  }

  /** Returns the number of the device's queues, for which a backend may register ioeventfds. */
  public int queueCount() {
    return registers.queueCount();
  }

  /**
   * Reads {@code width} bytes at {@code offset} of the register window; 0 where there is nothing to
   * read. Registers below 0x100 take accesses of 4 aligned bytes only.
   */
  public int read(int offset, int width) {
    if (offset >= Registers.CONFIG) {
      return readConfig(offset, width);
    }
    if (offset < 0 || width != Integer.BYTES || offset % Integer.BYTES != 0) {
      return 0;
    }
    return switch (offset) {
      case Registers.MAGIC_VALUE -> MAGIC;
      case Registers.VERSION -> VERSION;
      case Registers.DEVICE_ID -> device.deviceId();
      case Registers.VENDOR_ID -> VENDOR;
      case Registers.INTERRUPT_STATUS -> interrupts.status();
      case Registers.STATUS -> status;
      case Registers.CONFIG_GENERATION -> interrupts.generation();
      // All ones: there is no shared memory region.
      case Registers.SHM_LENGTH_LOW,
          Registers.SHM_LENGTH_HIGH,
          Registers.SHM_BASE_LOW,
          Registers.SHM_BASE_HIGH ->
          -1;
      default -> readSelected(offset);
    };
  }

  private int readConfig(int offset, int width) {
    if (offset >= Registers.WINDOW || !ConfigSpace.isLegalWidth(width)) {
      return 0;
    }
    return device.readConfig(offset - Registers.CONFIG, width);
  }

  private int readSelected(int offset) {
    synchronized (lock) {
      return registers.read(offset);
    }
  }

  /** Writes {@code width} bytes at {@code offset} of the register window, or ignores that. */
  public void write(int offset, int width, int value) {
    if (offset >= Registers.CONFIG) {
      writeConfig(offset, width, value);
      return;
    }
    if (offset < 0 || width != Integer.BYTES || offset % Integer.BYTES != 0) {
      return;
    }
    switch (offset) {
      case Registers.INTERRUPT_ACK -> interrupts.acknowledge(value);
      case Registers.QUEUE_NOTIFY -> notifyQueue(value);
      case Registers.STATUS -> writeStatus(value);
      default -> writeSelected(offset, value);
    }
  }

  private void writeConfig(int offset, int width, int value) {
    if (offset >= Registers.WINDOW || !ConfigSpace.isLegalWidth(width)) {
      return;
    }
    device.writeConfig(offset - Registers.CONFIG, width, value);
  }

  private void writeSelected(int offset, int value) {
    synchronized (lock) {
      if (!closed) {
        registers.write(offset, value, status);
      }
    }
  }

  private void writeStatus(int value) {
    if (value == 0) {
      reset();
      return;
    }
    synchronized (lock) {
      if (closed) {
        return;
      }
      if ((value & DeviceStatus.FAILED) != 0) {
        status |= DeviceStatus.FAILED;
        return;
      }
      if (!DeviceStatus.isStep(status, value)) {
        return;
      }
      if (value == (DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK)
          && !registers.features().areLegal()) {
        return;
      }
      status = value;
      if ((value & DeviceStatus.DRIVER_OK) != 0) {
        activate();
      }
    }
  }

  private void activate() {
    try {
      Activation made = registers.toActivation(interrupts, memory);
      activation = made;
      device.activate(made.queues(), registers.features().accepted(), made);
    } catch (VirtqueueException e) {
      needReset(e.getMessage(), null);
      return;
    } catch (RuntimeException e) {
      needReset("failed to activate", e);
      return;
    }
    long early = earlyNotifications;
    earlyNotifications = 0;
    for (int queue = 0; queue < registers.queueCount(); queue++) {
      if ((early >>> queue & 1) != 0) {
        notifyActive(queue);
      }
    }
  }

  /**
   * The driver notified {@code queue}: lets the device work on it, on this thread. Out of range is
   * ignored; before DRIVER_OK it is remembered.
   */
  public void notifyQueue(int queue) {
    if (Integer.compareUnsigned(queue, registers.queueCount()) >= 0) {
      return;
    }
    synchronized (lock) {
      if ((status & DeviceStatus.DRIVER_OK) == 0) {
        earlyNotifications |= 1L << queue;
      } else {
        notifyActive(queue);
      }
    }
  }

  private void notifyActive(int queue) {
    Activation active = activation;
    if (active == null || (status & (DeviceStatus.NEEDS_RESET | DeviceStatus.FAILED)) != 0) {
      return;
    }
    try {
      device.queueNotified(queue);
    } catch (RuntimeException e) {
      needReset("failed on queue " + queue, e);
      return;
    }
    if (active.isBroken()) {
      needReset("a ring is broken", null);
    }
  }

  private void needReset(@Nullable String problem, @Nullable RuntimeException cause) {
    report(problem, cause);
    Activation active = activation;
    if (active != null) {
      active.stop();
    }
    status |= DeviceStatus.NEEDS_RESET;
    interrupts.configChange();
  }

  private void report(@Nullable String problem, @Nullable RuntimeException cause) {
    problems++;
    // A guest can break its device as often as it likes; the log must not grow with it.
    if (Long.bitCount(problems) == 1) {
      LOG.warn(
          "virtio device {} has had {} failures so far; the last one: {}",
          device.deviceId(),
          problems,
          problem,
          cause);
    }
  }

  private void reset() {
    stopQueues();
    synchronized (lock) {
      // A device that was activated in between is stopped here.
      stopQueues();
      if (activation != null) {
        activation = null;
        try {
          device.reset();
        } catch (RuntimeException e) {
          report("failed to reset", e);
        }
      }
      registers.reset();
      earlyNotifications = 0;
      interrupts.clear();
      status = 0;
    }
  }

  private void stopQueues() {
    Activation active = activation;
    if (active != null) {
      active.stop();
    }
  }

  /**
   * Lets the queues run empty, whatever is in them: work on them ends soon and is not done to its
   * end. Returns at once; a driver that resets the device may use it again.
   */
  public void abandon() {
    stopQueues();
  }

  /** Ends the device; on return no queue is touched any more. Idempotent. */
  @Override
  public void close() {
    stopQueues();
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      stopQueues();
      activation = null;
      try {
        device.close();
      } catch (RuntimeException e) {
        // The owner has more to close.
        report("failed to close", e);
      }
    }
  }
}
