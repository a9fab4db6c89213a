package io.github.avf4j.kvm.boot;

import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.MemoryMapping;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import java.util.ArrayList;
import java.util.List;

/**
 * A machine's RAM: one mapping of this process, cut into ranges of guest-physical addresses, each a
 * memslot. {@link #close()} comes after every thread that knows a view has ended. Thread-safe.
 */
public final class GuestRam implements AutoCloseable {
  /**
   * A part of the guest's address space.
   *
   * @param gpa its first address, a multiple of the page size
   * @param size its length in bytes, a multiple of the page size
   */
  public record Range(long gpa, long size) {
    /** Returns the address behind it. */
    public long end() {
      return gpa + size;
    }
  }

  private final MemoryMapping mapping;
  private final List<Range> ranges;
  private final boolean overlays;

  private GuestRam(MemoryMapping mapping, List<Range> ranges, boolean overlays) {
    this.mapping = mapping;
    this.overlays = overlays;
    this.ranges = List.copyOf(ranges);
  }

  /**
   * Maps private memory that takes none until somebody touches it.
   *
   * @throws io.github.avf4j.HypervisorException if there is no address space left
   */
  public static GuestRam anonymous(List<Range> ranges) {
    return new GuestRam(MemoryMapping.anonymous(size(ranges)), ranges, true);
  }

  static long size(List<Range> ranges) {
    return ranges.stream().mapToLong(Range::size).sum();
  }

  /** Asks for huge pages; comes before anything is loaded. */
  public void adviseHugePages() {
    mapping.adviseHugePages();
  }

  /** Returns the ranges in the order of their memslots. */
  public List<Range> ranges() {
    return ranges;
  }

  /** Returns all ranges, accessed directly. */
  public GuestMemory direct() {
    List<GuestRegion> regions = new ArrayList<>();
    long offset = 0;
    for (Range range : ranges) {
      regions.add(
          new GuestRegion(range.gpa(), range.size(), mapping.chunks(offset, range.size())));
      offset += range.size();
    }
    return GuestMemory.of(regions);
  }

  /** Gives the RAM to a VM. */
  public void attach(KvmVm vm) {
    long address = mapping.address();
    for (int slot = 0; slot < ranges.size(); slot++) {
      Range range = ranges.get(slot);
      vm.setMemoryRegion(slot, range.gpa(), range.size(), address);
      address += range.size();
    }
  }

  /** Returns whether {@link #overlay} is possible. */
  boolean takesOverlays() {
    return overlays;
  }

  /**
   * Replaces whole pages by a private copy of pages of a sealed file. All numbers are multiples of
   * the page size.
   *
   * @throws IllegalArgumentException if they are not in one range
   */
  void overlay(long gpa, Fd file, long fileOffset, long length) {
    mapping.overlay(offset(gpa, length), file, fileOffset, length);
  }

  private long offset(long gpa, long length) {
    long offset = 0;
    for (Range range : ranges) {
      if (gpa >= range.gpa() && length >= 0 && gpa <= range.end() - length) {
        return offset + gpa - range.gpa();
      }
      offset += range.size();
    }
    throw new IllegalArgumentException(
        length + " bytes at 0x" + Long.toHexString(gpa) + " must be in one range of RAM");
  }

  @Override
  public void close() {
    mapping.close();
  }
}
