package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.VsockChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Protected guests that do not share what they should: their own device fails them, and nobody
 * else. That these tests end at all shows that the JVM lives.
 */
@Tag("pkvm")
class MisbehavingGuestTest {
  private static final long PORT = 5000;
  private static final String NEEDS_RESET = "vsock: the device wants to be reset";

  @TempDir Path folder;

  private static Path program() {
    String configured = System.getProperty("avf.test.bare");
    return configured != null
        ? Path.of(configured)
        : TestMachines.projectRoot().resolve("avf-microdroid/target/cargo-bare/test-bare.bin");
  }

  private VirtualMachine create(VirtualMachineManager manager, String mode) {
    return manager.create(
        mode,
        VirtualMachineConfig.builder()
            .customImage(
                CustomImageConfig.builder()
                    .kernel(program())
                    .commandLine("avf.test=" + mode)
                    .build())
            .memory(DataSize.ofMebibytes(32))
            .debugLevel(DebugLevel.FULL)
            .outputCaptured(true)
            .protectionLevel(ProtectionLevel.HARDWARE)
            .build());
  }

  private static String awaitOutput(VirtualMachine vm) throws Exception {
    StopReason reason = vm.awaitStopped(TestMachines.LONG).orElseThrow();
    assertThat(reason).isEqualTo(new StopReason.Shutdown());
    return new String(vm.getConsoleOutput().readAllBytes(), StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @CsvSource({
    "never-share, " + NEEDS_RESET,
    "private-descriptor, " + NEEDS_RESET,
    "unshare-in-flight, " + NEEDS_RESET,
    "store-and-off, kept",
    "panic, panic at",
    "fault, fault: ESR"
  })
  void failsAlone(String mode, String outcome) throws Exception {
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder)) {
      VirtualMachine vm = create(manager, mode);
      vm.run();
      if (mode.equals("private-descriptor") || mode.equals("unshare-in-flight")) {
        connectInVain(vm);
      }
      assertThat(awaitOutput(vm)).contains("test-bare: " + mode + ", protected").contains(outcome);
    }
  }

  /** A connection that never comes about, or ends at once. */
  private static void connectInVain(VirtualMachine vm) {
    try (VsockChannel channel = vm.connectVsock(PORT)) {
      assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    } catch (IOException | RuntimeException expected) {
      // The device is gone.
    }
  }

  @Test
  void oneThatSpinsIsStopped() throws Exception {
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder)) {
      VirtualMachine vm = create(manager, "spin");
      vm.run();
      vm.stop();
      assertThat(vm.awaitStopped(TestMachines.LONG)).contains(new StopReason.Killed());
    }
  }
}
