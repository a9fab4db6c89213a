package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.KernelImage;
import io.github.avf4j.kvm.testing.GuestCode;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.BaseImageBuilder;
import io.github.avf4j.microdroid.base.GuestRuntime;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code avf run} as a process: its output, its exit code, and what is left of it. */
@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RunCommandTest {
  /** The exit code of a JVM that SIGTERM ends. */
  private static final int TERMINATED = 128 + 15;

  private static final long LIMIT_SECONDS = 120;

  @TempDir Path folder;
  private Path temporary;
  private Path out;
  private Path err;

  @BeforeEach
  void setUp() throws IOException {
    temporary = Files.createDirectory(folder.resolve("tmp"));
    out = folder.resolve("out");
    err = folder.resolve("err");
  }

  private Process start(String... arguments) throws IOException {
    return builder(arguments).redirectOutput(out.toFile()).start();
  }

  private ProcessBuilder builder(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                "io.github.avf4j.cli.AvfCommand",
                "run"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(err.toFile());
  }

  /** Waits for the end; the exit code, and nothing left in the folder for temporary files. */
  private int end(Process process) throws Exception {
    try {
      assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as(errors()).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(temporary).isEmptyDirectory();
    return process.exitValue();
  }

  private int run(String... arguments) throws Exception {
    return end(start(arguments));
  }

  private String errors() throws IOException {
    return Files.readString(err, StandardCharsets.UTF_8);
  }

  private String lastLine() throws IOException {
    List<String> lines = errors().lines().toList();
    return lines.isEmpty() ? "" : lines.get(lines.size() - 1);
  }

  @Nested
  @Tag("kvm")
  class OnKvm {
    private TinyGuests guests;

    @BeforeEach
    void needKvm() {
      TinyGuests.needKvm();
      guests = new TinyGuests(folder);
    }

    private int run(Path kernel, String... more) throws Exception {
      return end(start(arguments(kernel, more)));
    }

    private String[] arguments(Path kernel, String... more) {
      List<String> all =
          new ArrayList<>(
              List.of("--kernel", kernel.toString(), "--backend", "kvm", "--memory", "2M"));
      all.addAll(List.of(more));
      return all.toArray(String[]::new);
    }

    private void awaitRun(Process process) throws Exception {
      while (process.isAlive() && !errors().contains("backend: ")) {
        Thread.sleep(10);
      }
    }

    @Test
    void passesEveryByteOfTheSerialPort() throws Exception {
      GuestCode code = new GuestCode();
      byte[] all = new byte[256];
      for (int i = 0; i < all.length; i++) {
        all[i] = (byte) i;
        code.outByte(0x3F8, i);
      }
      assertThat(run(guests.write("bytes", code.powerOff()))).isZero();
      assertThat(out).hasBinaryContent(all);
      assertThat(errors()).startsWith("backend: kvm: it was asked for");
      assertThat(lastLine()).isEqualTo("stopped: SHUTDOWN");
    }

    @Test
    void aResetIsAGoodEnd() throws Exception {
      Path console = folder.resolve("console");
      assertThat(run(guests.resets(), "--console-out", console.toString(), "--cpus", "2")).isZero();
      assertThat(lastLine()).isEqualTo("stopped: REBOOT");
      assertThat(console).isEmptyFile();
    }

    @Test
    void aGuestThatDiesIsExitCode1() throws Exception {
      assertThat(run(guests.tripleFaults())).isEqualTo(1);
      assertThat(lastLine()).startsWith("stopped: CRASH TRIPLE_FAULT");
    }

    @Test
    void whatIsNoKernelIsExitCode2() throws Exception {
      Path text = Files.writeString(folder.resolve("text"), "no kernel".repeat(1000));
      assertThat(run(text)).isEqualTo(2);
      assertThat(errors()).startsWith("avf: ").contains(text.toString()).hasLineCount(1);
    }

    @Test
    void theTimeOutIsExitCode3() throws Exception {
      assertThat(run(guests.sleeps(), "--timeout", "300ms")).isEqualTo(3);
      assertThat(lastLine()).isEqualTo("stopped: KILLED time-out of 300 ms passed");
    }

    @Test
    void aSignalStopsTheMachineAndLeavesNothing() throws Exception {
      Process process = start(arguments(guests.sleeps()));
      awaitRun(process);
      process.destroy();
      assertThat(end(process)).isEqualTo(TERMINATED);
      assertThat(lastLine()).isEqualTo("stopped: KILLED");
    }

    @Test
    void aSignalEndsAToolWhoseOutputNobodyReads() throws Exception {
      // Its output is a pipe that nobody empties.
      Process process = builder(arguments(guests.printsForEver())).start();
      awaitRun(process);
      process.destroy();
      assertThat(end(process)).isEqualTo(TERMINATED);
      assertThat(lastLine()).isEqualTo("stopped: KILLED");
    }
  }

  @Test
  @Tag("qemu")
  void aKernelThatIsMissingIsExitCode2() throws Exception {
    Path kernel = folder.resolve("none");
    assertThat(run("--kernel", kernel.toString())).isEqualTo(2);
    assertThat(errors()).startsWith("avf: ").contains(kernel.toString()).hasLineCount(1);
  }

  @Test
  @Tag("qemu")
  void aPanicOfAStockKernelIsExitCode1() throws Exception {
    Path kernel = KernelImage.installed().image();
    assumeTrue(Files.exists(kernel), kernel + " is not there: run bin/setup");
    assertThat(run("--kernel", kernel.toString(), "--backend", "qemu", "--timeout", "100s"))
        .as(errors())
        .isEqualTo(1);
    assertThat(lastLine()).startsWith("stopped: CRASH PANIC Kernel panic - not syncing: VFS");
    assertThat(Files.readString(out, StandardCharsets.ISO_8859_1)).contains("Linux version");
  }

  @Test
  @Tag("qemu")
  void theSignedKernelAndRamdiskOfABaseImageBoot() throws Exception {
    assumeTrue(
        Files.exists(KernelImage.installed().image())
            && Files.exists(GuestRuntime.installed().folder()),
        "there is no kernel or no runtime: run bin/setup");
    BaseImage image =
        new BaseImageBuilder(KernelImage.installed(), GuestRuntime.installed())
            .build(folder.resolve("base"), Progress.NONE);
    String[] arguments = {
      "--kernel",
      image.kernel().toString(),
      "--initrd",
      image.initrd(true).toString(),
      "--disk",
      image.system() + ":ro",
      "--backend",
      "qemu",
      "--timeout",
      "100s"
    };
    // Nobody listens to the guest's reports: its init says so and powers off.
    assertThat(run(arguments)).as(errors()).isEqualTo(0);
    assertThat(Files.readString(out, StandardCharsets.ISO_8859_1))
        .contains("Run /init as init process", "avf: no report channel to the host")
        .doesNotContain("Initramfs unpacking failed", "cannot load");
  }
}
