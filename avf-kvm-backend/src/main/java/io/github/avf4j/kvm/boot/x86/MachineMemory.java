package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.boot.GuestRam;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRange;
import java.util.List;

/**
 * A machine's RAM: in the guest below {@link Layout#HOLE} and, if there is more, from {@link
 * Layout#HOLE_END} on. {@link #close()} comes after every thread that knows a view has ended.
 * Thread-safe.
 */
public final class MachineMemory implements AutoCloseable {
  private final GuestRam ram;
  private final GuestMemory guest;
  private final long lowSize;
  private final long highSize;

  /**
   * Maps {@code size} bytes; they take no memory until somebody touches them.
   *
   * @throws io.github.avf4j.HypervisorException if there is no address space left
   */
  public MachineMemory(long size) {
    lowSize = Math.min(size, Layout.HOLE);
    highSize = size - lowSize;
    GuestRange low = new GuestRange(0, lowSize);
    ram =
        GuestRam.anonymous(
            highSize == 0 ? List.of(low) : List.of(low, new GuestRange(Layout.HOLE_END, highSize)));
    guest = ram.direct();
  }

  /** Asks for huge pages; comes before anything is loaded. */
  public void adviseHugePages() {
    ram.adviseHugePages();
  }

  /** Returns the RAM as devices see it. */
  public GuestMemory guest() {
    return guest;
  }

  /** Returns where files are loaded to. */
  GuestRam ram() {
    return ram;
  }

  /** Returns the end of RAM below {@link Layout#HOLE}. */
  public long lowEnd() {
    return lowSize;
  }

  /** Returns how much RAM there is at {@link Layout#HOLE_END}. */
  public long highSize() {
    return highSize;
  }

  /** Gives the RAM to a VM. */
  public void attach(KvmVm vm) {
    ram.attach(vm);
  }

  @Override
  public void close() {
    ram.close();
  }
}
