package io.github.avf4j.kvm.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class Serial16550Test {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<Boolean> line = new ArrayList<>();
  private final Serial16550 serial = new Serial16550(out::write, line::add);

  @Test
  void isIdleAfterReset() {
    assertThat(serial.readPort(2)).isEqualTo(1);
    assertThat(serial.readPort(5)).isEqualTo(0x60);
    assertThat(serial.readPort(6)).isEqualTo(0xB0);
  }

  @Test
  void printsAndNotTheDivisor() {
    serial.writePort(3, 0x83);
    serial.writePort(0, 1);
    serial.writePort(1, 2);
    assertThat(serial.readPort(0)).isEqualTo(1);
    assertThat(serial.readPort(1)).isEqualTo(2);
    serial.writePort(3, 3);
    serial.writePort(0, 'a');
    assertThat(out.toString()).isEqualTo("a");
    assertThat(line).isEmpty();
  }

  @Test
  void interruptsWhenItCanSendAgain() {
    serial.writePort(1, 2);
    assertThat(line).containsExactly(true);
    assertThat(serial.readPort(2)).isEqualTo(2);
    assertThat(line).containsExactly(true, false);
    assertThat(serial.readPort(2)).isEqualTo(1);
    serial.writePort(0, 'a');
    assertThat(line).containsExactly(true, false, true);
    serial.writePort(1, 0);
    assertThat(line).containsExactly(true, false, true, false);
    serial.writePort(1, 2);
    assertThat(serial.readPort(2)).as("again after it was switched on").isEqualTo(2);
  }

  @Test
  void saysThatItHasFifos() {
    serial.writePort(2, 1);
    assertThat(serial.readPort(2)).isEqualTo(0xC1);
  }

  @Test
  void receivesWhatItSendsInLoopbackAndNoMoreThanItHolds() {
    serial.writePort(4, 0x10);
    serial.writePort(1, 1);
    for (int i = 0; i < 100; i++) {
      serial.writePort(0, i);
    }
    assertThat(line).containsExactly(true);
    assertThat(serial.readPort(2)).isEqualTo(4);
    assertThat(serial.readPort(5)).as("data and overrun").isEqualTo(0x63);
    for (int i = 0; i < 16; i++) {
      assertThat(serial.readPort(0)).isEqualTo(i);
    }
    assertThat(serial.readPort(5)).isEqualTo(0x60);
    assertThat(line).containsExactly(true, false);
    assertThat(out.size()).isZero();
  }

  @Test
  void loopsModemLinesBack() {
    serial.writePort(4, 0x1A); // loopback, OUT2, RTS: as Linux probes it
    assertThat(serial.readPort(6) & 0xF0).isEqualTo(0x90);
  }

  @Test
  void keepsItsScratchRegister() {
    serial.writePort(7, 0xA5);
    assertThat(serial.readPort(7)).isEqualTo(0xA5);
  }
}
