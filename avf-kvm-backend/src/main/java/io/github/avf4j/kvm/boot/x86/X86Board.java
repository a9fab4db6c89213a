package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.device.Buses;
import io.github.avf4j.kvm.device.Cmos;
import io.github.avf4j.kvm.device.I8042;
import io.github.avf4j.kvm.device.MmioBus;
import io.github.avf4j.kvm.device.PanicPort;
import io.github.avf4j.kvm.device.PortBus;
import io.github.avf4j.kvm.device.PowerControl;
import io.github.avf4j.kvm.device.Serial16550;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.spi.MachineSpec;
import io.github.avf4j.virtio.mmio.MmioTransport;
import java.util.List;
import java.util.function.Consumer;

/** A PC without firmware: hardware-reduced ACPI and the few ports that kernels expect. */
final class X86Board extends X86Base {
  private final MachineSpec spec;

  X86Board(MachineSpec spec) {
    super(spec.memory().bytes(), spec.cpuTopology().vcpus());
    this.spec = spec;
  }

  @Override
  public void load(int virtioDevices) {
    MachineMemory memory = machineMemory();
    if (spec.hugepages()) {
      memory.adviseHugePages();
    }
    enterBy(KernelLoader.load(memory, spec.kernel(), spec.initrd(), spec.commandLine()));
    AcpiTables.write(memory, spec.cpuTopology().vcpus(), virtioDevices);
    ResetVector.write(memory);
  }

  @Override
  public Buses buses(KvmVm vm, List<MmioTransport> transports, Consumer<StopReason> stop) {
    PortBus ports = new PortBus();
    ports.add(
        Serial16550.COM1,
        new Serial16550(spec.serialOutput(), high -> vm.setIrqLine(Layout.COM1_GSI, high)));
    ports.add(PowerControl.BASE, new PowerControl(stop));
    ports.add(I8042.BASE, new I8042(stop));
    ports.add(PanicPort.BASE, new PanicPort(stop));
    ports.add(Cmos.BASE, new Cmos());
    return new Buses(ports, new MmioBus(Layout.HOLE, transports));
  }
}
