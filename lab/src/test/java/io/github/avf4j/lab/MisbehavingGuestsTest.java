package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockConnectException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Protected guests that do not share what their devices have to reach, or take it back: they harm
 * themselves alone.
 */
@Tag("arm64")
class MisbehavingGuestsTest {
  private static final long PORT = 5000;

  @TempDir Path folder;
  private VirtualMachineManager manager;

  @BeforeEach
  void open() {
    manager = VirtualMachineManager.open(folder.resolve("store"));
  }

  /** A machine of this JVM serves its guest as it should, whatever the others did. */
  @AfterEach
  void othersAreServed() throws Exception {
    VirtualMachine vm = run("echo");
    try (VsockChannel channel = connect(vm)) {
      channel.write(ByteBuffer.wrap(new byte[] {42}));
      assertThat(Channels.newInputStream(channel).read()).isEqualTo(42);
    }
    vm.stop();
    assertThat(vm.awaitStopped(TestMachines.LONG)).contains(new StopReason.Killed());
    manager.close();
  }

  private VirtualMachine run(String mode) {
    VirtualMachine vm =
        manager.create(
            mode,
            VirtualMachineConfig.builder()
                .customImage(
                    CustomImageConfig.builder()
                        .kernel(TestMachines.misbehavingProgram())
                        .commandLine("avf.test=" + mode)
                        .build())
                .memory(DataSize.ofMebibytes(32))
                .debugLevel(DebugLevel.FULL)
                .outputCaptured(true)
                .protectionLevel(ProtectionLevel.HARDWARE)
                .build());
    vm.run();
    return vm;
  }

  /** The program listens once it is up. */
  private static VsockChannel connect(VirtualMachine vm) {
    long end = System.nanoTime() + TestMachines.LONG.toNanos();
    while (true) {
      try {
        return vm.connectVsock(PORT);
      } catch (VsockConnectException e) {
        if (System.nanoTime() - end > 0) {
          throw e;
        }
      }
    }
  }

  private static String console(VirtualMachine vm) throws Exception {
    String text = TestMachines.readAll(vm.getConsoleOutput());
    assertThat(vm.awaitStopped(TestMachines.LONG)).as(text).contains(new StopReason.Shutdown());
    return text;
  }

  @ParameterizedTest
  @ValueSource(strings = {"never-share", "private-descriptor"})
  void aGuestThatDoesNotShareLosesItsDevice(String mode) throws Exception {
    assertThat(console(run(mode)))
        .contains("test-bare: " + mode + ", protected")
        .doesNotContain("failed");
  }

  @Test
  void aGuestThatTakesItsMemoryBackLosesItsConnections() throws Exception {
    VirtualMachine vm = run("unshare-in-flight");
    CompletableFuture<String> console =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return console(vm);
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            });
    try (VsockChannel channel = connect(vm)) {
      // Its end is told as a failure or as an end, depending on who noticed first.
      assertThatThrownBy(
              () -> {
                while (true) {
                  channel.write(ByteBuffer.allocate(4096));
                }
              })
          .isInstanceOf(IOException.class);
    }
    assertThat(console.get()).contains("test-bare: unshared").doesNotContain("failed");
  }

  @Test
  void aGuestMayStoreToAllOfItsMemory() throws Exception {
    assertThat(console(run("store-and-off"))).contains(" bytes, kept");
  }
}
