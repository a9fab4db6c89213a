package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.MemoryMapping;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import java.util.ArrayList;
import java.util.List;

/**
 * A machine's RAM: one anonymous mapping, in the guest below {@link Layout#HOLE} and, if there is
 * more, from {@link Layout#HOLE_END} on. {@link #close()} comes after every thread that knows a
 * view has ended. Thread-safe.
 */
public final class MachineMemory implements AutoCloseable {
  private final MemoryMapping mapping;
  private final long lowSize;
  private final GuestMemory guest;

  /**
   * Maps {@code size} bytes; they take no memory until somebody touches them.
   *
   * @throws io.github.avf4j.HypervisorException if there is no address space left
   */
  public MachineMemory(long size) {
    mapping = MemoryMapping.anonymous(size);
    lowSize = Math.min(size, Layout.HOLE);
    List<GuestRegion> regions = new ArrayList<>();
    regions.add(new GuestRegion(0, lowSize, mapping.chunks(0, lowSize)));
    if (size > lowSize) {
      long rest = size - lowSize;
      regions.add(new GuestRegion(Layout.HOLE_END, rest, mapping.chunks(lowSize, rest)));
    }
    guest = GuestMemory.of(regions);
  }

  /** Asks for huge pages; comes before anything is loaded. */
  public void adviseHugePages() {
    mapping.adviseHugePages();
  }

  /** Returns the RAM as devices see it. */
  public GuestMemory guest() {
    return guest;
  }

  /** Returns the end of RAM below {@link Layout#HOLE}. */
  public long lowEnd() {
    return lowSize;
  }

  /** Returns how much RAM there is at {@link Layout#HOLE_END}. */
  public long highSize() {
    return mapping.size() - lowSize;
  }

  /** Gives the RAM to a VM. */
  public void attach(KvmVm vm) {
    vm.setMemoryRegion(0, 0, lowSize, mapping.address());
    if (highSize() > 0) {
      vm.setMemoryRegion(1, Layout.HOLE_END, highSize(), mapping.address() + lowSize);
    }
  }

  /**
   * Replaces whole pages of low RAM by a private copy of pages of a sealed file. All numbers are
   * multiples of 4096.
   */
  void overlay(long gpa, Fd file, long fileOffset, long length) {
    if (gpa < 0 || length < 0 || gpa > lowSize - length) {
      throw new IllegalArgumentException("an overlay must be in low RAM");
    }
    mapping.overlay(gpa, file, fileOffset, length);
  }

  @Override
  public void close() {
    mapping.close();
  }
}
