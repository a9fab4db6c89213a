package io.github.avf4j.kvm.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.StopReason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PortBusTest {
  private final PortBus bus = new PortBus();
  private final List<StopReason> stops = new ArrayList<>();

  @Test
  void readsOnesWhereNobodyIs() {
    assertThat(bus.read(0xCFC, 4)).isEqualTo(-1);
    assertThat(bus.read(0x80, 1)).isEqualTo(0xFF);
    assertThat(bus.read(0xFFFF, 4)).isEqualTo(-1);
    bus.write(0xCF8, 4, -1);
  }

  @Test
  void splitsWideAccessesIntoBytes() {
    List<String> writes = new ArrayList<>();
    bus.add(
        0x500,
        new PortDevice() {
          @Override
          public int readPort(int offset) {
            return 0x10 + offset;
          }

          @Override
          public void writePort(int offset, int value) {
            writes.add(offset + "=" + value);
          }
        });
    assertThat(bus.read(0x506, 4)).isEqualTo(0xFFFF1716);
    bus.write(0x501, 2, 0xABCD);
    assertThat(writes).containsExactly("1=205", "2=171");
    assertThatThrownBy(() -> bus.add(0x500, new Cmos()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> bus.add(0x501, new Cmos()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void switchesOffForTheRightSleepTypeOnly() {
    bus.add(PowerControl.BASE, new PowerControl(stops::add));
    bus.write(PowerControl.SLEEP_CONTROL, 1, 3 << 2 | 0x20);
    bus.write(PowerControl.SLEEP_CONTROL, 1, 5 << 2);
    bus.write(PowerControl.SLEEP_STATUS, 1, 0x80);
    assertThat(bus.read(PowerControl.SLEEP_STATUS, 1)).isZero();
    bus.write(PowerControl.RESET, 1, 0);
    assertThat(stops).isEmpty();
    bus.write(PowerControl.SLEEP_CONTROL, 1, 5 << 2 | 0x20);
    bus.write(PowerControl.RESET, 1, 1);
    assertThat(stops).containsExactly(new StopReason.Shutdown(), new StopReason.Reboot());
  }

  @Test
  void resetsOnTheKeyboardControllersCommandOnly() {
    bus.add(I8042.BASE, new I8042(stops::add));
    bus.write(0x60, 1, 0xFE);
    bus.write(0x64, 1, 0xFD);
    assertThat(bus.read(0x64, 1)).isZero();
    assertThat(stops).isEmpty();
    bus.write(0x64, 1, 0xFE);
    assertThat(stops).containsExactly(new StopReason.Reboot());
  }

  @Test
  void tellsAPanic() {
    bus.add(PanicPort.BASE, new PanicPort(stops::add));
    assertThat(bus.read(PanicPort.PORT, 1)).isEqualTo(1);
    bus.write(PanicPort.PORT, 1, 2);
    assertThat(stops).isEmpty();
    bus.write(PanicPort.PORT, 1, 1);
    assertThat(stops).hasSize(1);
    assertThat(stops.get(0).toString()).startsWith("CRASH PANIC");
  }

  @Test
  void clockIsNeverInTheMiddleOfAnUpdate() {
    bus.add(Cmos.BASE, new Cmos());
    bus.write(0x70, 1, 0x0A);
    assertThat(bus.read(0x71, 1) & 0x80).isZero();
    bus.write(0x70, 1, 0x8D);
    assertThat(bus.read(0x71, 1)).isEqualTo(0x80);
  }
}
