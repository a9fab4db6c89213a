package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What the firmware takes from the device tree of the host, checked; all else is lost.
 *
 * <p>For the arm64 machine of crosvm. Immutable.
 *
 * @param ram from 0x80000000
 * @param kernel where the signed kernel file is
 * @param initrd where the ramdisk is, if there is one
 * @param bootArguments as the host wrote them
 * @param cpus the CPUs
 * @param pci the PCI host bridge
 * @param watchdog whether there is a stall detector
 * @param serialPorts the addresses of serial ports, of the four that the template has
 * @param swiotlb the pool for bounce buffers, if there is one
 * @param untrusted the properties of {@code /avf/untrusted}
 * @param avf the properties of {@code /avf}, not yet compared with a reference
 */
public record HostTree(
    MemoryRange ram,
    MemoryRange kernel,
    Optional<MemoryRange> initrd,
    Optional<String> bootArguments,
    HostCpus cpus,
    HostPci pci,
    boolean watchdog,
    List<Long> serialPorts,
    Optional<Swiotlb> swiotlb,
    Map<String, ByteSlice> untrusted,
    Map<String, ByteSlice> avf) {
  private static final int MIN_PAGE = 4096;
  private static final int MAX_SERIAL_PORTS = 4;
  private static final Set<Long> SERIAL_PORTS = Set.of(0x3f8L, 0x2f8L, 0x3e8L, 0x2e8L);

  /**
   * The pool for bounce buffers.
   *
   * @param start its address, if the host fixed it
   * @param size in bytes
   * @param alignment in bytes, if the host wants one
   */
  public record Swiotlb(OptionalLong start, long size, OptionalLong alignment) {}

  /** Copies list and maps. */
  public HostTree {
    serialPorts = List.copyOf(serialPorts);
    untrusted = Collections.unmodifiableMap(new LinkedHashMap<>(untrusted));
    avf = Collections.unmodifiableMap(new LinkedHashMap<>(avf));
  }

  /**
   * Checks the tree.
   *
   * @param pageSize of the guest, a multiple of 4096
   * @throws PvmfwException of error INVALID_FDT, NO_KERNEL or INVALID_RAMDISK
   */
  public static HostTree parse(DeviceTree host, PvmfwRevision revision, int pageSize) {
    boolean march = revision != PvmfwRevision.JANUARY_2025;
    long page = march ? pageSize : MIN_PAGE;
    HostRules.require(
        HostRules.u32(host.root(), "#address-cells") == 2
            && HostRules.u32(host.root(), "#size-cells") == 2,
        "addresses and sizes of the root must have two cells");
    MemoryRange ram = ram(host, page);
    HostCpus cpus = HostCpus.parse(host);
    FdtNode chosen = host.node("/chosen").orElseThrow(() -> HostRules.fault("no /chosen"));
    return new HostTree(
        ram,
        kernel(host, ram, march),
        initrd(chosen, ram, march),
        chosen.has("bootargs")
            ? Optional.of(
                chosen
                    .string("bootargs")
                    .orElseThrow(() -> HostRules.fault("the boot arguments are no text")))
            : Optional.empty(),
        cpus,
        HostPci.parse(host, ram),
        watchdog(host, cpus.cpus().size(), march),
        serialPorts(host),
        swiotlb(host, ram, page, march),
        untrusted(host),
        host.node("/avf").map(DeviceTrees::properties).orElse(Map.of()));
  }

  private static MemoryRange ram(DeviceTree host, long page) {
    FdtNode memory = host.node("/memory").orElseThrow(() -> HostRules.fault("no /memory"));
    int[] reg = HostRules.cells(memory, "reg");
    long base = HostRules.pair(reg, 0);
    long size = HostRules.pair(reg, 2);
    HostRules.require(base == HostRules.RAM_BASE, "RAM does not begin at 0x80000000");
    HostRules.require(
        size > 0 && size % page == 0 && size <= HostRules.HIGHEST - base,
        "the size of RAM is not a positive multiple of the page size");
    return new MemoryRange(base, size);
  }

  private static MemoryRange kernel(DeviceTree host, MemoryRange ram, boolean wide) {
    OptionalLong start = OptionalLong.empty();
    OptionalLong size = OptionalLong.empty();
    Optional<FdtNode> config = host.node("/config");
    if (config.isPresent()) {
      start = number(config.get(), "kernel-address", wide);
      size = number(config.get(), "kernel-size", wide);
    }
    if (start.isEmpty() || size.isEmpty()) {
      throw new PvmfwException(PvmfwError.NO_KERNEL, "device tree: there is no kernel");
    }
    MemoryRange range = new MemoryRange(start.getAsLong(), size.getAsLong());
    HostRules.require(range.size() > 0 && range.isInside(ram), "the kernel is not inside of RAM");
    return range;
  }

  private static Optional<MemoryRange> initrd(FdtNode chosen, MemoryRange ram, boolean march) {
    OptionalLong start = number(chosen, "linux,initrd-start", march);
    OptionalLong end = number(chosen, "linux,initrd-end", march);
    if (start.isEmpty() || end.isEmpty()) {
      HostRules.require(
          !march || start.isPresent() == end.isPresent(), "the ramdisk has only one end");
      return Optional.empty();
    }
    MemoryRange range = new MemoryRange(start.getAsLong(), end.getAsLong() - start.getAsLong());
    if (range.size() <= 0 || !range.isInside(ram)) {
      throw new PvmfwException(
          PvmfwError.INVALID_RAMDISK, "device tree: the ramdisk is empty or outside of RAM");
    }
    return Optional.of(range);
  }

  private static OptionalLong number(FdtNode node, String property, boolean wide) {
    OptionalLong number = wide ? node.u32OrU64(property) : node.u32(property);
    HostRules.require(
        number.isPresent() || !node.has(property), "\"" + property + "\" is no number");
    return number;
  }

  private static boolean watchdog(DeviceTree host, int cpus, boolean optional) {
    List<FdtNode> nodes = host.compatible("qemu,vcpu-stall-detector");
    if (nodes.isEmpty()) {
      HostRules.require(optional, "there is no stall detector");
      return false;
    }
    int[] reg = HostRules.cells(nodes.get(0), "reg");
    HostRules.require(
        reg.length == 4 && HostRules.pair(reg, 0) == 0x3000 && HostRules.pair(reg, 2) == 0x1000,
        "the stall detector is not at 0x3000");
    HostRules.require(
        Arrays.equals(
            HostRules.cells(nodes.get(0), "interrupts"),
            GuestMachine.perCpuInterrupt(0xf, cpus, 1)),
        "the stall detector has another interrupt");
    return true;
  }

  private static List<Long> serialPorts(DeviceTree host) {
    return host.compatible("ns16550a").stream()
        .limit(MAX_SERIAL_PORTS)
        .map(node -> HostRules.pair(HostRules.cells(node, "reg"), 0))
        .filter(SERIAL_PORTS::contains)
        .toList();
  }

  private static Optional<Swiotlb> swiotlb(
      DeviceTree host, MemoryRange ram, long page, boolean optional) {
    List<FdtNode> nodes = host.compatible("restricted-dma-pool");
    if (nodes.isEmpty()) {
      HostRules.require(optional, "there is no pool for bounce buffers");
      return Optional.empty();
    }
    FdtNode node = nodes.get(0);
    OptionalLong start = OptionalLong.empty();
    long size;
    if (node.has("reg")) {
      int[] reg = HostRules.cells(node, "reg");
      start = OptionalLong.of(HostRules.pair(reg, 0));
      size = HostRules.pair(reg, 2);
      HostRules.require(
          new MemoryRange(start.getAsLong(), size).isInside(ram),
          "the pool for bounce buffers is outside of RAM");
    } else {
      size = HostRules.pair(HostRules.cells(node, "size"), 0);
    }
    HostRules.require(
        size > 0 && size % page == 0 && size <= ram.size(),
        "the size of the pool for bounce buffers is no multiple of the page size");
    OptionalLong alignment = OptionalLong.empty();
    if (node.has("alignment")) {
      alignment = OptionalLong.of(HostRules.pair(HostRules.cells(node, "alignment"), 0));
      HostRules.require(
          alignment.getAsLong() > 0 && alignment.getAsLong() % page == 0,
          "the alignment of the pool for bounce buffers is no multiple of the page size");
    }
    return Optional.of(new Swiotlb(start, size, alignment));
  }

  private static Map<String, ByteSlice> untrusted(DeviceTree host) {
    Map<String, ByteSlice> properties =
        host.node("/avf/untrusted").map(DeviceTrees::properties).orElse(Map.of());
    for (String forbidden : new String[] {"compatible", "phandle", "linux,phandle"}) {
      HostRules.require(
          !properties.containsKey(forbidden), "/avf/untrusted has \"" + forbidden + "\"");
    }
    return properties;
  }

  /** The instance id that the host gives. */
  public Optional<ByteSlice> instanceId() {
    return Optional.ofNullable(untrusted.get("instance-id"));
  }

  /** Whether the host asks to let the guest protect itself against rollback. */
  public boolean asksToDeferRollbackProtection() {
    return untrusted.containsKey("defer-rollback-protection");
  }
}
