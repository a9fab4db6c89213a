package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineManager;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShutdownTest {
  @TempDir Path folder;

  /** A JVM that ends while its machine runs. */
  static final class Child {
    private Child() {}

    /** Runs a machine in the folder that the argument names, and returns. */
    public static void main(String[] arguments) throws Exception {
      Fixture fixture = new Fixture(Path.of(arguments[0]));
      fixture.backend.guest =
          machine -> {
            try {
              Thread.sleep(60_000);
            } catch (InterruptedException e) {
              System.out.println("killed");
            }
          };
      VirtualMachineManager manager = fixture.open();
      VirtualMachine vm = manager.create("a", fixture.config().build());
      vm.run();
      System.out.println("running");
    }
  }

  @Test
  void machinesAreStoppedWhenTheJvmEnds() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                folder.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines())
        .containsExactly("running", "killed");
    assertThat(process.exitValue()).isZero();
  }
}
