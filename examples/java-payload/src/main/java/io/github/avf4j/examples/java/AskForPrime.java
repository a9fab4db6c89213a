package io.github.avf4j.examples.java;

import io.github.avf4j.Payload;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.VsockChannel;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** Runs on the host: puts {@link NextPrime} into a virtual machine and asks it. */
public final class AskForPrime {
  private AskForPrime() {}

  /** Prints the prime number after one million millions. */
  public static void main(String[] arguments) throws Exception {
    VirtualMachineConfig config =
        VirtualMachineConfig.builder().payload(Payload.javaClass(NextPrime.class)).build();
    try (VirtualMachineManager manager = VirtualMachineManager.open(Path.of("machines"));
        VirtualMachine vm = manager.getOrCreate("next-prime", config)) {
      vm.run();
      vm.awaitReady(Duration.ofMinutes(2));
      try (VsockChannel channel = vm.connectVsock(5000)) {
        channel.write(StandardCharsets.US_ASCII.encode("1000000000000"));
        channel.shutdownOutput();
        Channels.newInputStream(channel).transferTo(System.out);
      }
    }
  }
}
