package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.MemFd;
import io.github.avf4j.linux.MemoryMapping;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The guest's memory as SET_MEM_TABLE gave it, mapped into this process.
 *
 * <p>The payload is: number of regions u32, padding u32, and for each region guest-physical address
 * u64, size u64, address in the front-end's process u64, offset in the file u64. Thread-safe.
 */
final class MemoryTable implements AutoCloseable {
  /** The most regions that the protocol allows in one message. */
  static final int MAX_REGIONS = 8;

  private static final int REGION_SIZE = 32;

  /** A region as the front-end describes it. */
  record Region(long guestAddress, long size, long userAddress, long fileOffset) {
    private boolean holdsUserAddress(long address) {
      return Long.compareUnsigned(address - userAddress, size) < 0;
    }
  }

  private final List<Region> regions;
  private final List<MemoryMapping> mappings;
  private final GuestMemory memory;

  private MemoryTable(List<Region> regions, List<MemoryMapping> mappings, GuestMemory memory) {
    this.regions = regions;
    this.mappings = mappings;
    this.memory = memory;
  }

  /**
   * Reads the description of the regions.
   *
   * @param limit the size of the guest's memory, which all regions together must not exceed
   * @throws VhostUserException if a number is not legal
   */
  static List<Region> parse(Message message, long limit) {
    ByteBuffer payload = message.payload();
    int count = payload.getInt(0);
    if (count < 1
        || count > MAX_REGIONS
        || payload.limit() != 8 + REGION_SIZE * count
        || message.fdCount() != count) {
      throw new VhostUserException(
          String.format(
              Locale.ROOT,
              "a memory table of %d regions must not have %d bytes and %d descriptors",
              count,
              payload.limit(),
              message.fdCount()));
    }
    List<Region> regions = new ArrayList<>(count);
    long left = limit;
    for (int i = 0; i < count; i++) {
      int at = 8 + REGION_SIZE * i;
      Region region =
          new Region(
              payload.getLong(at),
              payload.getLong(at + 8),
              payload.getLong(at + 16),
              payload.getLong(at + 24));
      check(region, left);
      left -= region.size();
      regions.add(region);
    }
    return List.copyOf(regions);
  }

  private static void check(Region r, long left) {
    boolean legal =
        r.size() > 0
            && r.size() <= left
            && r.guestAddress() >= 0
            && r.fileOffset() >= 0
            && r.guestAddress() <= Long.MAX_VALUE - r.size()
            && r.fileOffset() <= Long.MAX_VALUE - r.size()
            && ((r.size() | r.guestAddress() | r.fileOffset()) & (MemoryMapping.PAGE_SIZE - 1))
                == 0;
    if (!legal) {
      throw new VhostUserException("a memory region is not legal: " + r);
    }
  }

  /**
   * Maps the regions; the descriptors of the message are closed in any case.
   *
   * @throws VhostUserException if a file is too short or could become so, or regions overlap
   * @throws io.github.avf4j.HypervisorException if the system refuses the mapping
   */
  static MemoryTable map(List<Region> regions, Message message) {
    List<MemoryMapping> mappings = new ArrayList<>();
    List<GuestRegion> guestRegions = new ArrayList<>();
    try {
      for (Region region : regions) {
        try (Fd fd = message.takeFd()) {
          if (fd == null) {
            throw new VhostUserException("a memory region came without a descriptor");
          }
          requireFixedLength(fd, region.fileOffset() + region.size());
          mappings.add(MemoryMapping.shared(fd, region.fileOffset(), region.size()));
        }
        guestRegions.add(
            new GuestRegion(
                region.guestAddress(), region.size(), mappings.get(mappings.size() - 1).chunks()));
      }
      return new MemoryTable(regions, List.copyOf(mappings), GuestMemory.of(guestRegions));
    } catch (IllegalArgumentException e) {
      mappings.forEach(MemoryMapping::close);
      throw new VhostUserException("the memory table is not legal: " + e.getMessage(), e);
    } catch (RuntimeException e) {
      mappings.forEach(MemoryMapping::close);
      throw e;
    }
  }

  /**
   * An access behind the end of the file would be a SIGBUS, now and as long as it is mapped. So the
   * length is looked at after the seal, without which the front-end could cut the file any time.
   */
  private static void requireFixedLength(Fd fd, long length) {
    if (!MemFd.isShrinkSealed(fd)) {
      throw new VhostUserException(
          "the descriptor of a memory region is no memfd that is sealed against shrinking");
    }
    try {
      Path file = Path.of("/proc/self/fd/" + fd.number());
      if (!Files.isRegularFile(file) || Files.size(file) < length) {
        throw new VhostUserException(
            "the descriptor of a memory region is no file of " + length + " bytes or more");
      }
    } catch (IOException e) {
      throw new VhostUserException("the descriptor of a memory region cannot be examined", e);
    }
  }

  /** Returns the memory; not to be touched after {@link #close()}. */
  GuestMemory memory() {
    return memory;
  }

  /** Returns whether this is the table for {@code described}. */
  boolean isOf(List<Region> described) {
    return regions.equals(described);
  }

  /**
   * Returns the guest-physical address for an address in the front-end's process.
   *
   * @throws VhostUserException if no region holds it
   */
  long toGuest(long userAddress) {
    for (Region region : regions) {
      if (region.holdsUserAddress(userAddress)) {
        return region.guestAddress() + (userAddress - region.userAddress());
      }
    }
    throw new VhostUserException(
        "the address 0x" + Long.toHexString(userAddress) + " is in no memory region");
  }

  @Override
  public void close() {
    mappings.forEach(MemoryMapping::close);
  }
}
