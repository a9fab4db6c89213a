package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.DebugLevel;
import io.github.avf4j.IllegalVmStateException;
import io.github.avf4j.VirtualMachine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class OutputTest extends ManagerTest {
  @Test
  void isCapturedWhenAskedFor() throws Exception {
    fixture.backend.guest =
        machine -> {
          machine.serial("kernel\n");
          machine.print("payload\n");
          machine.powerOff();
        };
    VirtualMachine vm =
        manager.create(
            "a", fixture.config().debugLevel(DebugLevel.FULL).outputCaptured(true).build());
    InputStream console = vm.getConsoleOutput();
    vm.run();
    assertThat(text(console)).isEqualTo("kernel\n");
    assertThat(text(vm.getLogOutput())).isEqualTo("payload\n");
    vm.awaitStopped(Duration.ofSeconds(30));
    vm.run();
    vm.awaitStopped(Duration.ofSeconds(30));
    assertThat(text(console)).isEqualTo("kernel\n");
    assertThat(vm.getDroppedOutput()).isZero();
    assertThat(fixture.backend.last().spec.commandLine()).doesNotContain("quiet");
  }

  @Test
  void floodIsBoundedAndCounted() throws Exception {
    int flood = 5 << 20;
    fixture.backend.guest =
        machine -> {
          machine.print("x".repeat(flood));
          machine.powerOff();
        };
    VirtualMachine vm =
        manager.create(
            "a", fixture.config().debugLevel(DebugLevel.FULL).outputCaptured(true).build());
    vm.run();
    vm.awaitStopped(Duration.ofSeconds(30));
    assertThat(vm.getDroppedOutput()).isEqualTo(flood - (1 << 20));
    assertThat(vm.getLogOutput().readAllBytes()).hasSize(1 << 20);
  }

  @Test
  void isRefusedWhenNotAskedFor() {
    VirtualMachine vm =
        manager.create(
            "a", fixture.config().debugLevel(DebugLevel.FULL).consoleInputSupported(true).build());
    assertThatThrownBy(vm::getConsoleOutput)
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("Capturing vm outputs is turned off");
    assertThatThrownBy(vm::getLogOutput)
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("Capturing vm outputs is turned off");
  }

  @Test
  void inputGoesToTheMachineThatRuns() throws Exception {
    fixture.backend.guest = machine -> {};
    VirtualMachine vm =
        manager.create(
            "a", fixture.config().debugLevel(DebugLevel.FULL).consoleInputSupported(true).build());
    var input = vm.getConsoleInput();
    assertThatThrownBy(() -> input.write(1))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("not in running state");
    vm.run();
    input.write("hello".getBytes(StandardCharsets.US_ASCII));
    assertThat(fixture.backend.last().consoleInput.toString(StandardCharsets.US_ASCII))
        .isEqualTo("hello");
  }

  @Test
  void inputIsRefusedWhenNotAskedFor() {
    VirtualMachine vm =
        manager.create(
            "a", fixture.config().debugLevel(DebugLevel.FULL).outputCaptured(true).build());
    assertThatThrownBy(vm::getConsoleInput)
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("VM console input is not supported");
  }

  private static String text(InputStream in) throws IOException {
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }
}
