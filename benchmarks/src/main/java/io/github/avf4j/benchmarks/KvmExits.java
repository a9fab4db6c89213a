package io.github.avf4j.benchmarks;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.boot.x86.CpuidTable;
import io.github.avf4j.kvm.boot.x86.MachineMemory;
import io.github.avf4j.kvm.boot.x86.VcpuSetup;
import io.github.avf4j.kvm.boot.x86.X86Diagnostics;
import io.github.avf4j.kvm.device.Buses;
import io.github.avf4j.kvm.device.MmioBus;
import io.github.avf4j.kvm.device.PortBus;
import io.github.avf4j.kvm.device.PortDevice;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.kvm.ioctl.Registers;
import io.github.avf4j.kvm.ioctl.SpecialRegisters;
import io.github.avf4j.kvm.vcpu.VcpuGroup;
import io.github.avf4j.kvm.vcpu.VcpuThread;
import io.github.avf4j.linux.Signals;
import java.nio.ByteBuffer;
import java.util.List;

/** Port-I/O exits per second through the exit loop of the backend; the guest is the C program's. */
final class KvmExits implements Benchmark {
  private static final int ROUNDS = 11;
  private static final int EXITS = 100_000;
  private static final int WARM_UP = 1000;
  private static final int CODE = 0x1000;
  private static final int PORT = 0x80;

  /** {@code out 0x80,al; jmp} back, 16-bit code. */
  private static final byte[] LOOP = {(byte) 0xE6, (byte) 0x80, (byte) 0xEB, (byte) 0xFC};

  @Override
  public String name() {
    return "kvm.exits";
  }

  @Override
  public Result measure() throws Exception {
    Kvm.require();
    Samples ours = new Samples();
    Samples c = new Samples();
    exitsPerSecond();
    for (int round = 0; round < ROUNDS; round++) {
      c.add(EXITS / CBaseline.run("exits", Integer.toString(EXITS))[0]);
      ours.add(exitsPerSecond());
    }
    return new Result(name(), ours.median(), "exits/s", c.median(), "at least 0.90");
  }

  private static double exitsPerSecond() {
    PortBus ports = new PortBus();
    Counter counter = new Counter();
    ports.add(PORT, counter);
    VcpuGroup group = new VcpuGroup(time -> {}, reason -> {});
    counter.group = group;
    try (MachineMemory memory = new MachineMemory(2 << 20);
        KvmSystem system = KvmSystem.open();
        KvmVm vm = system.createVm()) {
      memory.guest().write(CODE, ByteBuffer.wrap(LOOP));
      memory.attach(vm);
      VcpuSetup.prepareVm(vm);
      try (KvmVcpu vcpu = vm.createVcpu(0, system.vcpuMmapSize())) {
        VcpuSetup.prepareVcpu(vcpu, CpuidTable.of(system.supportedCpuid(), 0, 1, true));
        SpecialRegisters special = vcpu.specialRegisters();
        special.setSegment(
            SpecialRegisters.CS, new SpecialRegisters.Segment(0, 0x00009B000000FFFFL));
        vcpu.setSpecialRegisters(special);
        vcpu.setRegisters(
            new Registers()
                .set(Registers.RIP, CODE)
                .set(Registers.RFLAGS, Registers.RFLAGS_RESERVED));
        VcpuThread thread =
            new VcpuThread(
                "bench",
                0,
                vcpu,
                new Buses(ports, new MmioBus(0, List.of())),
                new X86Diagnostics(memory.guest()),
                group,
                Signals.installKick());
        group.start(List.of(thread));
        group.join();
      }
    }
    return EXITS / ((counter.end - counter.start) / 1e9);
  }

  /** Written and read by the vCPU thread only, and read after its end. */
  private static final class Counter implements PortDevice {
    private VcpuGroup group;
    private long start;
    private long end;
    private int count;

    @Override
    public int readPort(int offset) {
      return 0xFF;
    }

    @Override
    public void writePort(int offset, int value) {
      count++;
      if (count == WARM_UP) {
        start = System.nanoTime();
      } else if (count == WARM_UP + EXITS) {
        end = System.nanoTime();
        group.end(new StopReason.Shutdown());
      }
    }
  }
}
