package io.github.avf4j.kvm;

import io.github.avf4j.kvm.boot.VirtioSlots;
import io.github.avf4j.kvm.device.RawDisk;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.linux.EventFd;
import io.github.avf4j.linux.EventLoop;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.MachineSpec;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.blk.BlkDevice;
import io.github.avf4j.virtio.console.ConsoleConfig;
import io.github.avf4j.virtio.console.ConsoleDevice;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.mmio.MmioTransport;
import io.github.avf4j.virtio.rng.RngConfig;
import io.github.avf4j.virtio.rng.RngDevice;
import io.github.avf4j.virtio.vsock.VsockConfig;
import io.github.avf4j.virtio.vsock.VsockDevice;
import java.util.ArrayList;
import java.util.List;

/**
 * A machine's virtio devices in the order of their windows: vsock, console, rng, then the disks;
 * each with its transport, an irqfd, and an ioeventfd for every queue. Made on one thread;
 * afterwards thread-safe.
 */
final class MachineDevices implements AutoCloseable {
  private final VsockDevice vsock;
  private final ConsoleDevice console;
  private final List<MmioTransport> transports = new ArrayList<>();
  private final List<MmioTransport> disks = new ArrayList<>();
  private final List<EventFd> eventFds = new ArrayList<>();
  private final VirtioSlots slots;

  /**
   * Makes the devices.
   *
   * @throws io.github.avf4j.InvalidImageException if a disk cannot be used
   * @throws io.github.avf4j.HypervisorException if there are no descriptors left
   */
  MachineDevices(MachineSpec spec, GuestMemory memory, VirtioSlots slots) {
    this.slots = slots;
    vsock = new VsockDevice(VsockConfig.builder().cid(spec.cid()).build());
    console = new ConsoleDevice(ConsoleConfig.builder().output(spec.consoleOutput()).build());
    try {
      add(vsock, memory);
      add(console, memory);
      add(new RngDevice(RngConfig.builder().build()), memory);
      for (DiskSpec disk : spec.disks()) {
        disks.add(add(BlkDevice.of(disk, RawDisk.open(disk)), memory));
      }
    } catch (Throwable t) {
      close();
      throw t;
    }
  }

  private MmioTransport add(VirtioDevice device, GuestMemory memory) {
    EventFd interrupt;
    try {
      interrupt = EventFd.create();
    } catch (RuntimeException e) {
      device.close();
      throw e;
    }
    eventFds.add(interrupt);
    MmioTransport transport =
        new MmioTransport(device, memory, interrupt::signal, slots.accessPlatform());
    transports.add(transport);
    return transport;
  }

  /** Connects interrupts and queue notifications. */
  void connect(KvmVm vm, EventLoop loop) {
    for (int i = 0; i < transports.size(); i++) {
      MmioTransport transport = transports.get(i);
      vm.assignIrqfd(eventFds.get(i), slots.firstInterrupt() + i);
      for (int q = 0; q < transport.queueCount(); q++) {
        int queue = q;
        EventFd notification = EventFd.create();
        eventFds.add(notification);
        vm.assignIoeventfd(notification, slots.window(i) + MmioTransport.QUEUE_NOTIFY, queue);
        loop.onSignal(notification, () -> transport.notifyQueue(queue));
      }
    }
  }

  /** Serves what the guest has put into its queues so far, whether or not it has told. */
  void drain() {
    for (MmioTransport transport : transports) {
      for (int q = 0; q < transport.queueCount(); q++) {
        transport.notifyQueue(q);
      }
    }
  }

  /**
   * Gives up what the disks have been asked for: a queue full of requests can keep the host's
   * storage busy for minutes. Returns at once.
   */
  void abandonDisks() {
    disks.forEach(MmioTransport::abandon);
  }

  int count() {
    return transports.size();
  }

  /** Returns the devices in the order of their windows. */
  List<MmioTransport> transports() {
    return List.copyOf(transports);
  }

  VsockDevice vsock() {
    return vsock;
  }

  ConsoleDevice console() {
    return console;
  }

  /** Ends the devices: on return nothing of them touches the guest's memory. Idempotent. */
  void end() {
    for (int i = transports.size() - 1; i >= 0; i--) {
      transports.get(i).close();
    }
    vsock.close();
    console.close();
  }

  @Override
  public void close() {
    end();
    eventFds.forEach(EventFd::close);
  }
}
