package io.github.avf4j.kvm.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import io.github.avf4j.virtio.mmio.MmioTransport;
import io.github.avf4j.virtio.rng.RngConfig;
import io.github.avf4j.virtio.rng.RngDevice;
import java.util.List;
import org.junit.jupiter.api.Test;

class MmioBusTest {
  private static final long BASE = 0x4000000;

  /** Eight registers of a byte. */
  private static final class Scratch implements PortDevice {
    private final int[] values = new int[8];

    @Override
    public int readPort(int offset) {
      return values[offset];
    }

    @Override
    public void writePort(int offset, int value) {
      values[offset] = value;
    }
  }

  private final Scratch scratch = new Scratch();
  private final MmioBus bus =
      new MmioBus(BASE, List.of(rng(), rng())).add(0x3F8, 8, new ByteRegisters(scratch));

  private static MmioTransport rng() {
    return new MmioTransport(
        new RngDevice(RngConfig.builder().build()),
        GuestMemory.of(List.of(GuestRegion.allocate(0, 4096))),
        () -> {});
  }

  @Test
  void findsVirtioWindowsAndOtherDevices() {
    assertThat(bus.read(BASE, 4)).isEqualTo(0x74726976);
    assertThat(bus.read(BASE + 0x1008, 4)).isEqualTo(4);
    bus.write(0x3F9, 1, 0x77);
    assertThat(scratch.values[1]).isEqualTo(0x77);
    assertThat(bus.read(0x3F9, 1)).isEqualTo(0x77);
  }

  @Test
  void wideAccessesOfByteRegistersAreSeveral() {
    bus.write(0x3F8, 8, 0x8877665544332211L);
    assertThat(scratch.values).containsExactly(0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88);
    assertThat(bus.read(0x3F8, 8)).isEqualTo(0x8877665544332211L);
    assertThat(bus.read(0x3FA, 4)).isEqualTo(0x66554433);
  }

  @Test
  void readsOnesWhereNothingIs() {
    for (long nowhere : new long[] {0, 0x3F7, 0x400, BASE - 1, BASE + 0x2000, -1, 1L << 40}) {
      bus.write(nowhere, 1, 0);
      assertThat(bus.read(nowhere, 1)).as(Long.toHexString(nowhere)).isEqualTo(-1);
    }
    assertThat(bus.read(0x3FE, 4)).as("across the end of a device").isEqualTo(-1);
    assertThat(bus.read(0x3F7, 4)).as("across its beginning").isEqualTo(-1);
  }

  @Test
  void twoDevicesCannotHaveTheSamePlace() {
    for (long taken : new long[] {0x3F1, 0x3F8, 0x3FF, BASE - 7, BASE + 0x1FFF}) {
      assertThatThrownBy(() -> bus.add(taken, 8, new ByteRegisters(scratch)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("address 0x" + Long.toHexString(taken) + " is not free");
    }
    bus.add(0x3F0, 8, new ByteRegisters(new Scratch()))
        .add(BASE + 0x2000, 8, new ByteRegisters(new Scratch()));
  }
}
