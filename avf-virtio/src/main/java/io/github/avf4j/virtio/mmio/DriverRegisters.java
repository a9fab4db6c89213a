package io.github.avf4j.virtio.mmio;

import io.github.avf4j.virtio.TransportFeatures;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.memory.GuestMemory;
import org.jspecify.annotations.Nullable;

/**
 * The registers by which a driver negotiates features and sets up queues: what it has said since
 * the last reset. Guarded by the transport's lock.
 */
final class DriverRegisters {
  private final FeatureRegisters features;
  private final QueueRegisters[] queues;
  private int queueSelect;

  DriverRegisters(VirtioDevice device, boolean accessPlatform) {
    features =
        new FeatureRegisters(
            device.features()
                | TransportFeatures.VERSION_1
                | TransportFeatures.EVENT_IDX
                | TransportFeatures.INDIRECT_DESC
                | (accessPlatform ? TransportFeatures.ACCESS_PLATFORM : 0));
    queues = new QueueRegisters[device.queueCount()];
    for (int i = 0; i < queues.length; i++) {
      queues[i] = new QueueRegisters(i, device.maxQueueSize(i));
    }
  }

  int queueCount() {
    return queues.length;
  }

  FeatureRegisters features() {
    return features;
  }

  /** Returns what the register at {@code offset} says; 0 if it is none of these. */
  int read(int offset) {
    QueueRegisters queue = selectedQueue();
    return switch (offset) {
      case Registers.DEVICE_FEATURES -> features.offeredWord();
      case Registers.QUEUE_NUM_MAX -> queue == null ? 0 : queue.maxSize();
      case Registers.QUEUE_READY -> queue != null && queue.isReady() ? 1 : 0;
      default -> 0;
    };
  }

  /**
   * Takes a write to the register at {@code offset} if it is one of these and the status allows.
   */
  void write(int offset, int value, int status) {
    switch (offset) {
      case Registers.DEVICE_FEATURES_SELECT -> features.selectOffered(value);
      case Registers.DRIVER_FEATURES_SELECT -> features.selectAccepted(value);
      case Registers.DRIVER_FEATURES -> {
        if (DeviceStatus.isNegotiating(status)) {
          features.writeAcceptedWord(value);
        }
      }
      case Registers.QUEUE_SELECT -> queueSelect = value;
      default -> {
        QueueRegisters queue = selectedQueue();
        if (queue != null && DeviceStatus.isSettingUp(status)) {
          queue.write(offset, value);
        }
      }
    }
  }

  private @Nullable QueueRegisters selectedQueue() {
    return Integer.compareUnsigned(queueSelect, queues.length) < 0 ? queues[queueSelect] : null;
  }

  /**
   * Makes the queues that were set up.
   *
   * @throws io.github.avf4j.virtio.queue.VirtqueueException if one is not legal or two overlap
   */
  Activation toActivation(InterruptState interrupts, GuestMemory memory) {
    return Activation.of(interrupts, queues, memory, features.accepted());
  }

  void reset() {
    for (QueueRegisters queue : queues) {
      queue.reset();
    }
    features.reset();
    queueSelect = 0;
  }
}
