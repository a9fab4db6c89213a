package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.util.List;
import java.util.Optional;

/**
 * The part of a guest's tree that the firmware's template and the checked values of the host fill:
 * memory, CPUs, interrupts, serial ports, PCI, clocks.
 *
 * <p>The values that the reference document does not name (clock, serial ports, interrupt numbers
 * of timer and RTC, configuration space of PCI) are those of crosvm's machine; names of nodes and
 * phandles are not those of the firmware. Used once; confined to one thread.
 */
final class GuestMachine {
  /** The phandle of the first pvIOMMU, of which there are at most 10. */
  static final int FIRST_PV_IOMMU = 96;

  private static final int GIC = 1;
  private static final int CLOCK = 2;
  private static final int POOL = 3;
  private static final int FIRST_CPU = 16;
  private static final int FIRST_TABLE = 64;
  private static final long GIC_BASE = 0x3fff0000L;
  private static final long REDISTRIBUTOR = 0x20000;
  private static final long PCI_CONFIGURATION = 0x72000000L;

  private final HostTree host;
  private final DeviceTree tree = new DeviceTree();

  private GuestMachine(HostTree host) {
    this.host = host;
  }

  /** Makes the tree, with an empty {@code /chosen}. */
  static DeviceTree make(HostTree host) {
    GuestMachine machine = new GuestMachine(host);
    machine.addMachine();
    return machine.tree;
  }

  private void addMachine() {
    FdtNode root = tree.root();
    root.setStrings("compatible", "linux,dummy-virt").setU32("interrupt-parent", GIC);
    root.setU32("#address-cells", 2).setU32("#size-cells", 2);
    root.add("chosen");
    root.add("memory@80000000")
        .setStrings("device_type", "memory")
        .setU64("reg", host.ram().start(), host.ram().size());
    addPool(root.add("reserved-memory"));
    addCpus();
    addInterrupts();
    for (long port : host.serialPorts()) {
      root.childOrNew("uart@" + Long.toHexString(port))
          .setStrings("compatible", "ns16550a")
          .setU64("reg", port, 8)
          .setU32("clock-frequency", 1843200)
          .setU32("interrupts", 0, port == 0x2f8 || port == 0x2e8 ? 2 : 0, 1);
    }
    root.add("psci").setStrings("compatible", "arm,psci-1.0").setStrings("method", "hvc");
    addPci();
    root.add("pclk@3M")
        .setStrings("compatible", "fixed-clock")
        .setU32("clock-frequency", 3141592)
        .setU32("#clock-cells", 0)
        .setU32("phandle", CLOCK);
    root.add("rtc@2000")
        .setStrings("compatible", "arm,primecell")
        .setU32("arm,primecell-periphid", 0x41030)
        .setU64("reg", 0x2000, 0x1000)
        .setU32("interrupts", 0, 1, 4)
        .setStrings("clock-names", "apb_pclk")
        .setU32("clocks", CLOCK);
    if (host.watchdog()) {
      root.add("vmwdt@3000")
          .setStrings("compatible", "qemu,vcpu-stall-detector")
          .setU64("reg", 0x3000, 0x1000)
          .setU32("clock-frequency", 10)
          .setU32("timeout-sec", 8)
          .setU32("interrupts", perCpuInterrupt(0xf, host.cpus().cpus().size(), 1));
    }
  }

  private void addPool(FdtNode reserved) {
    reserved.setU32("#address-cells", 2).setU32("#size-cells", 2).setEmpty("ranges");
    Optional<HostTree.Swiotlb> pool = host.swiotlb();
    if (pool.isPresent()) {
      FdtNode node =
          reserved
              .add("restricted_dma_reserved")
              .setStrings("compatible", "restricted-dma-pool")
              .setU32("phandle", POOL);
      if (pool.get().start().isPresent()) {
        node.setU64("reg", pool.get().start().getAsLong(), pool.get().size());
      } else {
        node.setU64("size", pool.get().size());
      }
      pool.get().alignment().ifPresent(alignment -> node.setU64("alignment", alignment));
    }
  }

  private void addCpus() {
    FdtNode cpus = tree.root().add("cpus").setU32("#address-cells", 1).setU32("#size-cells", 0);
    List<HostCpus.Cpu> all = host.cpus().cpus();
    for (int i = 0; i < all.size(); i++) {
      FdtNode cpu =
          cpus.add("cpu@" + Integer.toHexString(i))
              .setStrings("device_type", "cpu")
              .setStrings("compatible", "arm,armv8")
              .setStrings("enable-method", "psci")
              .setU32("reg", i)
              .setU32("phandle", FIRST_CPU + i);
      all.get(i).capacity().ifPresent(value -> cpu.setU32("capacity-dmips-mhz", value));
      if (!all.get(i).frequencies().isEmpty()) {
        cpu.setU32("operating-points-v2", FIRST_TABLE + i);
        addFrequencies(i, all.get(i).frequencies());
      }
    }
    if (!host.cpus().clusters().isEmpty()) {
      addClusters(cpus.add("cpu-map"));
    }
    if (host.cpus().scalesFrequency()) {
      tree.root()
          .add("cpufreq")
          .setStrings("compatible", "virtual,android-v-only-cpufreq")
          .setU64("reg", 0x1040000, 8L * all.size());
    }
  }

  private void addFrequencies(int index, List<Long> frequencies) {
    FdtNode table =
        tree.root()
            .add("opp_table" + index)
            .setStrings("compatible", "operating-points-v2")
            .setU32("phandle", FIRST_TABLE + index);
    for (int i = 0; i < frequencies.size(); i++) {
      table.add("opp" + (i + 1)).setU64("opp-hz", frequencies.get(i));
    }
  }

  private void addClusters(FdtNode map) {
    List<List<Integer>> clusters = host.cpus().clusters();
    for (int i = 0; i < clusters.size(); i++) {
      FdtNode cluster = map.add("cluster" + i);
      for (int j = 0; j < clusters.get(i).size(); j++) {
        cluster.add("core" + j).setU32("cpu", FIRST_CPU + clusters.get(i).get(j));
      }
    }
  }

  private void addInterrupts() {
    int cpus = host.cpus().cpus().size();
    long redistributors = REDISTRIBUTOR * cpus;
    tree.root()
        .add("intc@3fff0000")
        .setStrings("compatible", "arm,gic-v3")
        .setU32("#address-cells", 2)
        .setU32("#size-cells", 2)
        .setU32("#interrupt-cells", 3)
        .setEmpty("interrupt-controller")
        .setU64("reg", GIC_BASE, 0x10000, GIC_BASE - redistributors, redistributors)
        .setU32("phandle", GIC);
    int[] interrupts = new int[12];
    int[] numbers = {13, 14, 11, 10};
    for (int i = 0; i < numbers.length; i++) {
      System.arraycopy(perCpuInterrupt(numbers[i], cpus, 8), 0, interrupts, 3 * i, 3);
    }
    tree.root()
        .add("timer")
        .setStrings("compatible", "arm,armv8-timer")
        .setEmpty("always-on")
        .setU32("interrupts", interrupts);
  }

  private void addPci() {
    HostPci pci = host.pci();
    int[] ranges = new int[14];
    for (int i = 0; i < 2; i++) {
      MemoryRange window = pci.windows().get(i);
      int[] cells = {
        pci.windowFlags().get(i),
        (int) (window.start() >>> 32),
        (int) window.start(),
        (int) (window.start() >>> 32),
        (int) window.start(),
        (int) (window.size() >>> 32),
        (int) window.size()
      };
      System.arraycopy(cells, 0, ranges, 7 * i, 7);
    }
    int[] map = new int[10 * pci.interrupts()];
    int[] masks = new int[4 * pci.interrupts()];
    for (int i = 0; i < pci.interrupts(); i++) {
      System.arraycopy(HostPci.row(i, GIC), 0, map, 10 * i, 10);
      System.arraycopy(new int[] {0xf800, 0, 0, 7}, 0, masks, 4 * i, 4);
    }
    FdtNode node =
        tree.root()
            .add("pci")
            .setStrings("compatible", "pci-host-cam-generic")
            .setStrings("device_type", "pci")
            .setU32("#address-cells", 3)
            .setU32("#size-cells", 2)
            .setU32("#interrupt-cells", 1)
            .setEmpty("dma-coherent")
            .setU32("ranges", ranges)
            .setU32("bus-range", 0, 0)
            .setU64("reg", PCI_CONFIGURATION, 0x1000000)
            .setU32("interrupt-map", map)
            .setU32("interrupt-map-mask", masks);
    if (host.swiotlb().isPresent()) {
      node.setU32("memory-region", POOL);
    }
  }

  /** A private interrupt of each of the first CPUs, in the cells of a GIC. */
  static int[] perCpuInterrupt(int number, int cpus, int type) {
    return new int[] {1, number, (((1 << cpus) - 1) << 8 & 0xff00) | type};
  }
}
