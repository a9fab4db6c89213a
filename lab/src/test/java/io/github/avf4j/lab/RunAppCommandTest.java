package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code avf run-app} as a process. */
@Tag("e2e")
@Timeout(value = 400, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RunAppCommandTest {
  private static final String ONE = "/mnt/extra-apk/0/assets/data.txt";
  private static final String TWO = "/mnt/extra-apk/1/assets/data.txt";

  @TempDir Path folder;

  private int run(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "io.github.avf4j.cli.AvfCommand",
                "run-app",
                "--backend",
                TestMachines.BACKEND,
                "--boot-timeout",
                "150s"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile())
            .start();
    try {
      assertThat(process.waitFor(300, TimeUnit.SECONDS)).as(errors()).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return process.exitValue();
  }

  private String errors() throws IOException {
    return Files.readString(folder.resolve("err"));
  }

  @Test
  void runsAPayloadWithAllThatItsConfigurationNames() throws Exception {
    Path apk = folder.resolve("lab.apk");
    Path one = folder.resolve("one.apk");
    Path two = folder.resolve("two.apk");
    Path module = folder.resolve("module.apex");
    TestApk.writePrinting(apk, ONE, TWO, TestModule.FILE);
    TestApk.writeData(one, "alice", "one", "the first\n");
    TestApk.writeData(two, "alice", "two", "the second\n");
    TestModule.write(module, "anyone", "of the module\n");
    Path work = folder.resolve("work");
    String[] arguments = {
      "--config-path",
      TestApk.CONFIG_OF_PROBE,
      "--extra-apk",
      one.toString(),
      "--extra-apk",
      two.toString(),
      "--apex",
      TestModule.NAME + '=' + module,
      "--work-dir",
      work.toString(),
      "--console",
      folder.resolve("console").toString(),
      apk.toString()
    };
    assertThat(run(arguments)).as(errors()).isZero();
    assertThat(errors().lines().filter(line -> !line.startsWith("backend: ")))
        .containsExactly(
            "payload started", "payload finished with exit code 0", "stopped: SHUTDOWN");
    assertThat(folder.resolve("console")).content().contains("Linux version");
    if (TestMachines.losesNoOutput()) {
      assertThat(Files.readString(folder.resolve("out")).lines().map(String::strip))
          .startsWith("the first", "the second", "of the module");
    }

    // The machine was kept: it knows what it ran before.
    TestModule.write(module, "somebody else", "of the module\n");
    assertThat(run(arguments)).as(errors()).isEqualTo(1);
    assertThat(errors())
        .contains(
            "VM encountered an error: code=payload_changed, message=APEXes have changed.",
            "stopped: MICRODROID_ERROR PAYLOAD_CHANGED");
  }
}
