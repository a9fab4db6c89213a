package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import io.github.avf4j.kvm.boot.VirtioSlots;
import java.nio.ByteBuffer;

/**
 * The device tree of a machine: one method for each node. The firmware of AVF rewrites it by a
 * template, so node names and properties are crosvm's where the template looks at them.
 * Thread-safe.
 */
final class MachineTree {
  // Interrupt specifiers: type, number, flags.
  private static final int SPI = 0;
  private static final int PPI = 1;
  private static final int EDGE_RISING = 1;
  private static final int LEVEL_HIGH = 4;
  private static final int LEVEL_LOW = 8;
  private static final int PPI_CPU_SHIFT = 8;

  private static final int GIC_HANDLE = 1;
  private static final int CLOCK_HANDLE = 2;
  private static final int POOL_HANDLE = 3;

  private static final int UART_CLOCK = 1_843_200;
  private static final int BUS_CLOCK = 3_000_000;
  private static final long POOL_ALIGNMENT = 0x1_0000;

  private final FdtNode root;
  private final Hardware hardware;
  private final BootMaterial material;

  private MachineTree(FdtNode root, Hardware hardware, BootMaterial material) {
    this.root = root;
    this.hardware = hardware;
    this.material = material;
  }

  /** Returns the flattened tree, at most 2 MiB. */
  static byte[] write(Hardware hardware, BootMaterial material) {
    DeviceTree tree = new DeviceTree();
    new MachineTree(tree.root(), hardware, material).build();
    return tree.encode();
  }

  private void build() {
    root.setU32("interrupt-parent", GIC_HANDLE);
    root.setStrings("compatible", "linux,dummy-virt");
    root.setU32("#address-cells", 2).setU32("#size-cells", 2);
    chosen();
    if (material.payload().size() != 0) {
      config();
    }
    if (material.instanceId().length != 0) {
      instance();
    }
    memory();
    if (hardware.sharedPool() != 0) {
      reservedMemory();
    }
    cpus();
    psci();
    timer();
    interruptController();
    busClock();
    serial(Layout.SERIAL, Layout.SERIAL_SPI);
    serial(Layout.FAILURE_SERIAL, Layout.FAILURE_SERIAL_SPI);
    rtc();
    for (int i = 0; i < hardware.virtioDevices(); i++) {
      virtio(i);
    }
  }

  private void chosen() {
    FdtNode chosen = root.add("chosen");
    chosen.setStrings("bootargs", material.commandLine());
    chosen.setStrings("stdout-path", "/" + unit("uart", Layout.SERIAL));
    chosen.setU32("linux,pci-probe-only", 1);
    if (material.initrd().size() != 0) {
      long start = material.initrd().address();
      chosen.setU64("linux,initrd-start", start);
      chosen.setU64("linux,initrd-end", start + material.initrd().size());
    }
    ByteBuffer seed = ByteBuffer.wrap(material.seed());
    chosen.setU64("kaslr-seed", seed.getLong(0));
    chosen.set("rng-seed", material.seed());
  }

  private void config() {
    FdtNode config = root.add("config");
    config.setU32("kernel-address", (int) material.payload().address());
    config.setU32("kernel-size", material.payload().size());
  }

  private void instance() {
    FdtNode untrusted = root.add("avf").add("untrusted");
    untrusted.set("instance-id", material.instanceId());
  }

  private void memory() {
    FdtNode memory = root.add(unit("memory", Layout.RAM));
    memory.setStrings("device_type", "memory").setU64("reg", Layout.RAM, hardware.memory());
  }

  private void reservedMemory() {
    FdtNode reserved = root.add("reserved-memory");
    reserved.setU32("#address-cells", 2).setU32("#size-cells", 2).setEmpty("ranges");
    FdtNode pool = reserved.add("restricted_dma_reserved");
    pool.setStrings("compatible", "restricted-dma-pool");
    pool.setU64("size", hardware.sharedPool()).setU64("alignment", POOL_ALIGNMENT);
    pool.setU32("phandle", POOL_HANDLE);
  }

  private void cpus() {
    FdtNode cpus = root.add("cpus").setU32("#address-cells", 1).setU32("#size-cells", 0);
    for (int i = 0; i < hardware.vcpus(); i++) {
      FdtNode cpu = cpus.add(unit("cpu", affinity(i)));
      cpu.setStrings("device_type", "cpu").setStrings("compatible", "arm,armv8");
      cpu.setStrings("enable-method", "psci").setU32("reg", affinity(i));
    }
  }

  /** Returns the affinity that KVM gives vCPU {@code index}: 16 in a cluster. */
  private static int affinity(int index) {
    return index & 0xF | (index >> 4 & 0xFF) << 8 | index >> 12 << 16;
  }

  private void psci() {
    FdtNode psci = root.add("psci");
    psci.setStrings("compatible", "arm,psci-1.0", "arm,psci-0.2").setStrings("method", "hvc");
  }

  /** The private interrupts of the secure, the two non-secure and the hypervisor's timer. */
  private void timer() {
    FdtNode timer = root.add("timer").setStrings("compatible", "arm,armv8-timer");
    timer.setU32("interrupts", privateInterrupts(13, 14, 11, 10)).setEmpty("always-on");
  }

  private int[] privateInterrupts(int... numbers) {
    int targets = hardware.gic() == Gic.V2 ? (1 << hardware.vcpus()) - 1 : 0;
    int[] cells = new int[3 * numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      cells[3 * i] = PPI;
      cells[3 * i + 1] = numbers[i];
      cells[3 * i + 2] = LEVEL_LOW | targets << PPI_CPU_SHIFT;
    }
    return cells;
  }

  private void interruptController() {
    FdtNode gic = root.add(unit("intc", Layout.GIC_DISTRIBUTOR));
    if (hardware.gic() == Gic.V3) {
      gic.setStrings("compatible", "arm,gic-v3");
      gic.setU64(
          "reg",
          Layout.GIC_DISTRIBUTOR,
          Layout.GIC_V3_DISTRIBUTOR_SIZE,
          Layout.redistributors(hardware.vcpus()),
          (long) hardware.vcpus() * Layout.GIC_V3_REDISTRIBUTOR_SIZE);
    } else {
      gic.setStrings("compatible", "arm,cortex-a15-gic");
      gic.setU64(
          "reg",
          Layout.GIC_DISTRIBUTOR,
          Layout.GIC_V2_DISTRIBUTOR_SIZE,
          Layout.GIC_V2_CPU_INTERFACE,
          Layout.GIC_V2_CPU_INTERFACE_SIZE);
    }
    gic.setU32("#address-cells", 0).setU32("#interrupt-cells", 3);
    gic.setEmpty("interrupt-controller");
    gic.setU32("phandle", GIC_HANDLE);
  }

  private void busClock() {
    FdtNode clock = root.add("pclk").setStrings("compatible", "fixed-clock");
    clock.setU32("#clock-cells", 0).setU32("clock-frequency", BUS_CLOCK);
    clock.setStrings("clock-output-names", "pclk").setU32("phandle", CLOCK_HANDLE);
  }

  private void serial(long address, int interrupt) {
    FdtNode serial = root.add(unit("uart", address)).setStrings("compatible", "ns16550a");
    serial.setU64("reg", address, 8).setU32("clock-frequency", UART_CLOCK);
    serial.setU32("interrupts", SPI, interrupt, LEVEL_HIGH);
  }

  private void rtc() {
    FdtNode rtc = root.add(unit("rtc", Layout.RTC));
    rtc.setStrings("compatible", hardware.rtc().compatible(), "arm,primecell");
    rtc.setU32("arm,primecell-periphid", hardware.rtc().peripheralId());
    rtc.setU64("reg", Layout.RTC, Rtc.SIZE);
    rtc.setU32("interrupts", SPI, Layout.RTC_SPI, LEVEL_HIGH);
    rtc.setU32("clocks", CLOCK_HANDLE).setStrings("clock-names", "apb_pclk");
  }

  private void virtio(int index) {
    long address = Layout.virtioWindow(index);
    FdtNode virtio = root.add(unit("virtio_mmio", address)).setStrings("compatible", "virtio,mmio");
    virtio.setU64("reg", address, VirtioSlots.WINDOW);
    virtio.setU32("interrupts", SPI, Layout.FIRST_VIRTIO_SPI + index, EDGE_RISING);
    virtio.setEmpty("dma-coherent");
    if (hardware.sharedPool() != 0) {
      virtio.setU32("memory-region", POOL_HANDLE);
    }
  }

  private static String unit(String name, long address) {
    return name + '@' + Long.toHexString(address);
  }
}
