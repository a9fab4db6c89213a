package io.github.avf4j.kvm;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.boot.x86.BootState;
import io.github.avf4j.kvm.boot.x86.CpuidTable;
import io.github.avf4j.kvm.boot.x86.FlatCode;
import io.github.avf4j.kvm.boot.x86.Layout;
import io.github.avf4j.kvm.boot.x86.MachineMemory;
import io.github.avf4j.kvm.boot.x86.VcpuSetup;
import io.github.avf4j.kvm.device.MmioBus;
import io.github.avf4j.kvm.device.PortBus;
import io.github.avf4j.kvm.device.PortDevice;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.kvm.vcpu.VcpuGroup;
import io.github.avf4j.kvm.vcpu.VcpuThread;
import io.github.avf4j.linux.Signals;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A guest of some 160 bytes that does in 64-bit kernel mode what an instruction emulator is likely
 * to lack: {@code lock cmpxchg16b}, {@code int3} through a gate, {@code fxsave} and {@code
 * fxrstor}. Its source is {@code src/test/asm/probe.s}. Thread-safe.
 */
final class ProbeGuest {
  static final byte[] CODE =
      HexFormat.of()
          .parseHex(
              "bf0000110031c031d2bb44332211b988776655f0480fc70f0f85890000004839"
                  + "1f0f8580000000b031e6f4488d057c000000bf3020110066890766c747020800"
                  + "66c74704008ec1e810668947060f011d6100000031f6cc83fe33754bb032e6f4"
                  + "0f20c083e0fb83c8020f22c00f20e00d000600000f22e0bf0010110066480f6e"
                  + "c3660fd4c00fae07660fefc00fae0f66480f7ec04801db4839d8750bb033e6f4"
                  + "b04be6f4f4ebfdb046e6f4f4ebfdbe3300000048cf3f000020110000000000");

  private static final int PORT = 0xF0;
  private static final int REPORT = 4; // port 0xf4
  private static final long MEMORY = 2 << 20;

  /**
   * What became of the guest.
   *
   * @param passed whether it did everything right
   * @param story what it did, in one line
   */
  record Result(boolean passed, String story) {}

  /** Takes the guest's reports. */
  private static final class Report implements PortDevice {
    private final StringBuffer steps = new StringBuffer();
    private final VcpuGroup group;

    Report(VcpuGroup group) {
      this.group = group;
    }

    @Override
    public int readPort(int offset) {
      return 0xFF;
    }

    @Override
    public void writePort(int offset, int value) {
      if (offset == REPORT) {
        steps.append((char) value);
        if (value == 'K' || value == 'F') {
          group.end(new StopReason.Shutdown());
        }
      }
    }
  }

  private ProbeGuest() {}

  /**
   * Runs the guest.
   *
   * @throws io.github.avf4j.VirtualMachineException if the VM cannot be made
   */
  static Result run(Duration timeout) {
    try (KvmSystem system = KvmSystem.open();
        MachineMemory memory = new MachineMemory(MEMORY);
        KvmVm vm = system.createVm()) {
      KvmHost host = KvmHost.of(system);
      memory.attach(vm);
      VcpuSetup.prepareVm(vm);
      BootState boot = FlatCode.load(memory, CODE);
      try (KvmVcpu vcpu = vm.createVcpu(0, host.vcpuMmapSize())) {
        VcpuSetup.prepareVcpu(vcpu, CpuidTable.of(host.cpuid(), 0, 1, host.tscDeadline()));
        boot.apply(vcpu);
        return run(vcpu, memory, timeout);
      }
    }
  }

  private static Result run(KvmVcpu vcpu, MachineMemory memory, Duration timeout) {
    CompletableFuture<StopReason> stopped = new CompletableFuture<>();
    VcpuGroup group = new VcpuGroup(nanoTime -> {}, stopped::complete);
    Report report = new Report(group);
    PortBus ports = new PortBus();
    ports.add(PORT, report);
    VcpuThread thread =
        new VcpuThread(
            "probe",
            0,
            vcpu,
            ports,
            new MmioBus(Layout.HOLE, List.of()),
            memory.guest(),
            group,
            Signals.installKick());
    group.start(List.of(thread));
    String end;
    try {
      end = stopped.get(timeout.toMillis(), TimeUnit.MILLISECONDS).toString();
    } catch (TimeoutException e) {
      end = "it did not end within " + timeout.toMillis() + " ms";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      end = "interrupted";
    } catch (ExecutionException e) {
      end = e.toString();
    } finally {
      group.end(new StopReason.Killed());
      group.join();
    }
    String steps = report.steps.toString();
    if (steps.equals("123K")) {
      return new Result(true, "all steps passed");
    }
    String step =
        switch (steps.replace("F", "").length()) {
          case 0 -> "lock cmpxchg16b";
          case 1 -> "int3";
          case 2 -> "fxsave and fxrstor";
          default -> "its end";
        };
    return new Result(false, "failed at " + step + ": " + end);
  }
}
