package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.boot.GuestRam;
import io.github.avf4j.kvm.boot.SharedPages;
import io.github.avf4j.kvm.device.Buses;
import io.github.avf4j.kvm.device.ByteRegisters;
import io.github.avf4j.kvm.device.MmioBus;
import io.github.avf4j.kvm.device.MmioDevice;
import io.github.avf4j.kvm.device.PortBus;
import io.github.avf4j.kvm.device.Serial16550;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.kvm.vcpu.VcpuDiagnostics;
import io.github.avf4j.linux.MemoryLimit;
import io.github.avf4j.linux.MemoryMapping;
import io.github.avf4j.spi.ByteSink;
import io.github.avf4j.spi.MachineSpec;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRange;
import io.github.avf4j.virtio.mmio.MmioTransport;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A machine in crosvm's memory map: two serial ports, a clock, and maybe firmware. */
final class Arm64Board extends Arm64Base {
  private final MachineSpec spec;
  private final Start start;
  private final GuestRam ram;
  private final GuestMemory memory;
  private final @Nullable SharedPages sharedPages;
  private Arm64Boot boot = new Arm64Boot(0, 0, 0, 0);

  Arm64Board(MachineSpec spec) {
    super(new Protection(spec.protection()), spec.cpuTopology().vcpus());
    this.spec = spec;
    requireWholePages(spec.memory().bytes());
    start = Start.of(spec);
    List<GuestRange> ranges = ranges();
    // A simulated machine has its memory where a protected one has it.
    ram =
        protection().sharesPages()
            ? GuestRam.shared("avf-ram-" + spec.name(), ranges)
            : GuestRam.anonymous(ranges);
    if (protection().isHardware()) {
      MemoryLimit.raise();
      sharedPages = new SharedPages(ram);
      memory = GuestMemory.guarded(ranges, sharedPages);
    } else {
      sharedPages = null;
      memory = ram.direct();
    }
  }

  /** Hosts have pages of 4, 16 or 64 KiB. */
  private static void requireWholePages(long size) {
    if (size % MemoryMapping.PAGE_SIZE != 0) {
      throw new HypervisorException(
          "mmap()",
          0,
          "the machine's memory must be a multiple of this host's page size of "
              + MemoryMapping.PAGE_SIZE
              + " bytes but was "
              + size
              + ": give it some more");
    }
  }

  private List<GuestRange> ranges() {
    List<GuestRange> ranges = new ArrayList<>();
    ranges.add(new GuestRange(Layout.RAM, spec.memory().bytes()));
    if (start != Start.KERNEL) {
      ranges.add(new GuestRange(Layout.FIRMWARE, Layout.FIRMWARE_WINDOW_SIZE));
    }
    return ranges;
  }

  @Override
  public GuestMemory memory() {
    return memory;
  }

  @Override
  Arm64Boot boot() {
    return boot;
  }

  @Override
  public void load(int virtioDevices) {
    if (spec.hugepages() && !protection().isHardware()) {
      ram.adviseHugePages();
    }
    long size = spec.memory().bytes();
    boot =
        Loader.load(
            ram,
            spec,
            new Hardware(
                size,
                spec.cpuTopology().vcpus(),
                virtioDevices,
                gic(),
                rtc(),
                protection().sharesPages() ? Hardware.sharedPool(size) : 0),
            start);
    if (protection().isHardware()) {
      ram.forbidDirect();
    }
  }

  /** Firmware of AVF, and the kernels that it is used with, know the old one. */
  private Rtc rtc() {
    return start == Start.KERNEL ? Rtc.PL031 : Rtc.PL030;
  }

  @Override
  void attachMemory(KvmVm vm) {
    ram.attach(vm);
    if (start == Start.HYPERVISOR_FIRMWARE) {
      HypervisorFirmware.load(vm);
    }
  }

  @Override
  public Buses buses(KvmVm vm, List<MmioTransport> transports, Consumer<StopReason> stop) {
    MmioBus mmio = new MmioBus(Layout.VIRTIO, transports);
    mmio.add(Layout.SERIAL, Serial16550.PORTS, serial(vm, spec.serialOutput(), Layout.SERIAL_SPI));
    mmio.add(
        Layout.FAILURE_SERIAL,
        Serial16550.PORTS,
        serial(vm, spec.failureOutput(), Layout.FAILURE_SERIAL_SPI));
    mmio.add(Layout.RTC, Rtc.SIZE, rtc().device(InstantSource.system()));
    return new Buses(new PortBus(), mmio);
  }

  private static MmioDevice serial(KvmVm vm, ByteSink output, int interrupt) {
    int line = Gic.line(interrupt);
    return new ByteRegisters(new Serial16550(output, high -> vm.setIrqLine(line, high)));
  }

  @Override
  public VcpuDiagnostics diagnostics() {
    return protection().isHardware() ? new ProtectedDiagnostics(ram.size()) : super.diagnostics();
  }

  @Override
  public void close() {
    if (sharedPages != null) {
      sharedPages.close();
    }
    ram.close();
  }
}
