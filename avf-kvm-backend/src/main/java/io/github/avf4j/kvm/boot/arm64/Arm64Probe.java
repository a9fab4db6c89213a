package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.boot.GuestRam;
import io.github.avf4j.kvm.boot.ProbeProgram;
import io.github.avf4j.kvm.boot.ReportPort;
import io.github.avf4j.kvm.device.Buses;
import io.github.avf4j.kvm.device.ByteRegisters;
import io.github.avf4j.kvm.device.MmioBus;
import io.github.avf4j.kvm.device.PortBus;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRange;
import io.github.avf4j.virtio.mmio.MmioTransport;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * A guest of some instructions that looks at its exception level, and takes an exception through
 * its own vectors. Its source is {@code src/test/asm/probe-arm64.s}.
 */
final class Arm64Probe extends Arm64Base {
  static final ProbeProgram PROGRAM =
      new ProbeProgram(List.of("exception level 1", "an exception and the return from it"));

  static final byte[] CODE =
      HexFormat.of()
          .parseHex(
              "097f80d2404238d51f1000f101020054210680522101003942ffff1002c018d5"
                  + "df3f03d5040080d2010000d49f6801f1e1000054410680522101003961098052"
                  + "210100397f2003d5ffffff17c108805221010039fcffff17");

  /** The handler, at its place in the vectors, which begin with the code. */
  static final byte[] HANDLER = HexFormat.of().parseHex("440b80d2e0039fd6");

  static final int HANDLER_OFFSET = 0x200;

  private static final long MEMORY = 2 << 20;

  private final GuestRam ram = GuestRam.anonymous(List.of(new GuestRange(Layout.RAM, MEMORY)));
  private final GuestMemory memory = ram.direct();
  private final IntConsumer report;

  Arm64Probe(IntConsumer report) {
    super(Protection.NONE, 1);
    this.report = report;
  }

  @Override
  public GuestMemory memory() {
    return memory;
  }

  @Override
  Arm64Boot boot() {
    return new Arm64Boot(Layout.RAM, 0, 0, 0);
  }

  @Override
  public void load(int virtioDevices) {
    memory.write(Layout.RAM, CODE, 0, CODE.length);
    memory.write(Layout.RAM + HANDLER_OFFSET, HANDLER, 0, HANDLER.length);
  }

  @Override
  void attachMemory(KvmVm vm) {
    ram.attach(vm);
  }

  @Override
  public Buses buses(KvmVm vm, List<MmioTransport> transports, Consumer<StopReason> stop) {
    MmioBus mmio = new MmioBus(Layout.VIRTIO, transports);
    mmio.add(Layout.SERIAL, 1, new ByteRegisters(new ReportPort(0, report)));
    return new Buses(new PortBus(), mmio);
  }

  @Override
  public void close() {
    ram.close();
  }
}
