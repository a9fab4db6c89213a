package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.boot.ProbeProgram;
import io.github.avf4j.kvm.boot.ReportPort;
import io.github.avf4j.kvm.device.Buses;
import io.github.avf4j.kvm.device.MmioBus;
import io.github.avf4j.kvm.device.PortBus;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.virtio.mmio.MmioTransport;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * A guest of some 160 bytes that does in 64-bit kernel mode what an instruction emulator is likely
 * to lack: {@code lock cmpxchg16b}, {@code int3} through a gate, {@code fxsave} and {@code
 * fxrstor}. Its source is {@code src/test/asm/probe.s}.
 */
final class X86Probe extends X86Base {
  static final ProbeProgram PROGRAM =
      new ProbeProgram(List.of("lock cmpxchg16b", "int3", "fxsave and fxrstor"));

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

  private final IntConsumer report;

  X86Probe(IntConsumer report) {
    super(MEMORY, 1);
    this.report = report;
  }

  @Override
  public void load(int virtioDevices) {
    enterBy(FlatCode.load(machineMemory(), CODE));
  }

  @Override
  public Buses buses(KvmVm vm, List<MmioTransport> transports, Consumer<StopReason> stop) {
    PortBus ports = new PortBus();
    ports.add(PORT, new ReportPort(REPORT, report));
    return new Buses(ports, new MmioBus(Layout.HOLE, transports));
  }
}
