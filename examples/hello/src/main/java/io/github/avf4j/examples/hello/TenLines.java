package io.github.avf4j.examples.hello;

import io.github.avf4j.Payload;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.VsockChannel;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** The example of the README. Needs the executable {@code hello-payload} in the current folder. */
final class TenLines {
  private TenLines() {}

  /** Prints the SHA-256 of two lines and their count. */
  public static void main(String[] arguments) throws Exception {
    try (VirtualMachineManager manager = VirtualMachineManager.open(Path.of("machines"));
        VirtualMachine vm =
            manager.getOrCreate(
                "hello",
                VirtualMachineConfig.builder()
                    .payload(Payload.executable(Path.of("hello-payload")))
                    .build())) {
      vm.run();
      vm.awaitReady(Duration.ofSeconds(60));
      try (VsockChannel channel = vm.connectVsock(5000)) {
        channel.write(StandardCharsets.UTF_8.encode("one\ntwo\n"));
        channel.shutdownOutput();
        Channels.newInputStream(channel).transferTo(System.out);
      }
    }
  }
}
