package io.github.avf4j.lab;

import static io.github.avf4j.lab.TestMachines.LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.DataSize;
import io.github.avf4j.Payload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VsockChannel;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** How tests talk with machines that run {@link TestApk}. */
final class Vaults {
  static final long PORT = 5001;
  static final long PROBE_PORT = 5002;

  private Vaults() {}

  /** A machine with the vault and a small encrypted store. */
  static VirtualMachineConfig.Builder config(Path apk) {
    return VirtualMachineConfig.builder()
        .payload(Payload.apk(apk).withConfigPath(TestApk.CONFIG))
        .encryptedStorage(DataSize.ofMebibytes(16))
        .bootTimeout(LONG)
        .backend(TestMachines.BACKEND);
  }

  /** Runs a machine whose payload must become ready. */
  static void start(VirtualMachine vm) throws InterruptedException {
    vm.run();
    if (!vm.awaitReady(LONG)) {
      throw new AssertionError("the payload is not ready: " + vm.awaitStopped(LONG));
    }
  }

  /** Asks for one thing; the answer has no line end. */
  static String ask(VirtualMachine vm, String question) throws IOException {
    return ask(vm, PORT, question);
  }

  static String ask(VirtualMachine vm, long port, String question) throws IOException {
    try (VsockChannel channel = vm.connectVsock(port)) {
      channel.write(StandardCharsets.US_ASCII.encode(question + '\n'));
      channel.shutdownOutput();
      byte[] answer = Channels.newInputStream(channel).readNBytes(1 << 20);
      return new String(answer, StandardCharsets.UTF_8).strip();
    }
  }

  /** Asks for the end, and waits for it. */
  static void quit(VirtualMachine vm) throws IOException, InterruptedException {
    ask(vm, "quit");
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
  }

  /** Runs a machine that must not get as far as its payload; returns why. */
  static StopReason refused(VirtualMachine vm) throws InterruptedException {
    vm.run();
    boolean ready = vm.awaitReady(LONG);
    if (ready) {
      vm.stop();
    }
    assertThat(ready).as("a payload runs that should have been refused").isFalse();
    return vm.awaitStopped(LONG).orElseThrow();
  }
}
