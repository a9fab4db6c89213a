package io.github.avf4j.examples.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.DataSize;
import io.github.avf4j.HostReport;
import io.github.avf4j.KernelImage;
import io.github.avf4j.Payload;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.Virtualization;
import io.github.avf4j.VsockChannel;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a machine gives its Java class, and that it is still there after another run. */
@Tag("qemu")
@Timeout(400)
class MachineFactsTest {
  private static final int QUESTION = 300_000;

  @TempDir Path folder;

  @Test
  void aJavaClassHasSecretsStorageAndAttestation() throws Exception {
    HostReport report = Virtualization.probe();
    assumeTrue(report.chosen().isPresent(), report.choice());
    Path kernel = KernelImage.installed().image();
    assumeTrue(Files.exists(kernel), kernel + " is not there: run bin/setup");
    List<String> first = run("one version");
    assertThat(first)
        .contains(
            "arguments [a b, , ä]",
            "same and other true",
            "apk true",
            "run 0",
            "attested true",
            "peer 2",
            "heard " + QUESTION);
    List<String> second = run("another version");
    assertThat(second).contains("run 1", "attested true");
    assertThat(secret(second)).isEqualTo(secret(first)).hasSize(64 + "secret ".length());
  }

  private static String secret(List<String> facts) {
    return facts.stream().filter(fact -> fact.startsWith("secret ")).findFirst().orElseThrow();
  }

  private List<String> run(String version) throws Exception {
    Path more = Files.createDirectories(folder.resolve("more"));
    Files.writeString(more.resolve("version"), version);
    VirtualMachineConfig config =
        VirtualMachineConfig.builder()
            .payload(
                Payload.javaClass(MachineFacts.class)
                    .withClassPath(more)
                    .withArguments("a b", "", "ä"))
            .encryptedStorage(DataSize.ofMebibytes(64))
            .build();
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder.resolve("machines"));
        VirtualMachine vm = manager.getOrCreate("facts", config)) {
      vm.run();
      vm.awaitReady(Duration.ofMinutes(2));
      String facts;
      try (VsockChannel channel = vm.connectVsock(5001)) {
        channel.write(ByteBuffer.allocate(QUESTION));
        channel.shutdownOutput();
        facts = new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
      }
      assertThat(vm.awaitStopped(Duration.ofMinutes(1))).isPresent();
      return facts.lines().toList();
    }
  }
}
