package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.examples.hello.Hello;
import io.github.avf4j.examples.protect.ProtectedSecret;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The examples that every arm64 host runs, as bin/demo runs them; in this JVM, which starts slowly
 * there.
 */
@Tag("arm64")
class Arm64ExamplesTest {
  @Test
  void theSecretOfASimulatedMachineIsTheHosts(@TempDir Path folder) throws Exception {
    assertThat(ProtectedSecret.run(folder.toString(), "simulated")).isZero();
  }

  @Test
  void aStockKernelRunsAPayload() throws Exception {
    assertThat(Hello.run("--backend", TestMachines.BACKEND, "--size", "1M")).isZero();
  }
}
