package io.github.avf4j.kvm.boot;

import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.MemFd;
import io.github.avf4j.linux.MemoryMapping;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRange;
import io.github.avf4j.virtio.memory.GuestRegion;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A machine's RAM: one mapping of this process, cut into ranges of guest-physical addresses, each a
 * memslot. {@link #close()} comes after every thread that knows a view has ended. Thread-safe.
 */
public final class GuestRam implements AutoCloseable {
  private final MemoryMapping mapping;
  private final List<GuestRange> ranges;
  private final @Nullable MemFd file;
  private volatile boolean directForbidden;

  private GuestRam(MemoryMapping mapping, List<GuestRange> ranges, @Nullable MemFd file) {
    this.mapping = mapping;
    this.file = file;
    this.ranges = List.copyOf(ranges);
  }

  /**
   * Maps private memory that takes none until somebody touches it.
   *
   * @throws io.github.avf4j.HypervisorException if there is no address space left
   */
  public static GuestRam anonymous(List<GuestRange> ranges) {
    return new GuestRam(MemoryMapping.anonymous(size(ranges)), ranges, null);
  }

  /**
   * Maps a file in memory, which lasts as long as this object, and which child processes do not
   * inherit. Every page takes memory once it is touched and never gives it back before the end.
   *
   * @param name shows in /proc for people only
   * @throws io.github.avf4j.HypervisorException if there is no address space left
   */
  public static GuestRam shared(String name, List<GuestRange> ranges) {
    MemFd file = MemFd.create(name, size(ranges));
    try {
      MemoryMapping mapping = MemoryMapping.shared(file.fd(), 0, file.size());
      mapping.keepFromChildren();
      return new GuestRam(mapping, ranges, file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static long size(List<GuestRange> ranges) {
    return ranges.stream().mapToLong(GuestRange::size).sum();
  }

  /** Asks for huge pages; comes before anything is loaded. */
  public void adviseHugePages() {
    mapping.adviseHugePages();
  }

  /**
   * Ends direct accesses: from now on only {@link SharedPages} reach this memory. Whoever has
   * called {@link #direct()} before does not use it any more.
   */
  public void forbidDirect() {
    directForbidden = true;
  }

  /** Returns the ranges in the order of their memslots. */
  public List<GuestRange> ranges() {
    return ranges;
  }

  /** Returns the size of all ranges together in bytes. */
  public long size() {
    return mapping.size();
  }

  /**
   * Returns all ranges, accessed directly.
   *
   * @throws IllegalStateException after {@link #forbidDirect()}
   */
  public GuestMemory direct() {
    if (directForbidden) {
      throw new IllegalStateException("the guest's memory is not accessed directly any more");
    }
    List<GuestRegion> regions = new ArrayList<>();
    long offset = 0;
    for (GuestRange range : ranges) {
      regions.add(
          new GuestRegion(range.base(), range.size(), mapping.chunks(offset, range.size())));
      offset += range.size();
    }
    return GuestMemory.of(regions);
  }

  /** Returns the address in this process of an address in one of the ranges. */
  long address(long gpa) {
    return mapping.address() + offset(gpa, 1);
  }

  /** Gives the RAM to a VM. */
  public void attach(KvmVm vm) {
    long address = mapping.address();
    for (int slot = 0; slot < ranges.size(); slot++) {
      GuestRange range = ranges.get(slot);
      vm.setMemoryRegion(slot, range.base(), range.size(), address);
      address += range.size();
    }
  }

  /** Returns whether {@link #overlay} is possible. */
  boolean takesOverlays() {
    return file == null;
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
    for (GuestRange range : ranges) {
      if (gpa >= range.base() && length >= 0 && gpa <= range.end() - length) {
        return offset + gpa - range.base();
      }
      offset += range.size();
    }
    throw new IllegalArgumentException(
        length + " bytes at 0x" + Long.toHexString(gpa) + " must be in one range of RAM");
  }

  @Override
  public void close() {
    mapping.close();
    if (file != null) {
      file.close();
    }
  }
}
