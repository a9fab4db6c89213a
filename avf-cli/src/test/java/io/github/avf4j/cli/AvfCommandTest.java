package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.Payload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachineConfig;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class AvfCommandTest {
  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int execute(String... arguments) {
    CommandLine commandLine = AvfCommand.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    return commandLine.execute(arguments);
  }

  private static VirtualMachineConfig config(String... arguments) {
    CommandLine commandLine = AvfCommand.commandLine();
    var parsed = commandLine.parseArgs(arguments);
    return ((RunCommand) parsed.subcommand().commandSpec().userObject()).config();
  }

  @Test
  void runTakesEveryOption() {
    VirtualMachineConfig config =
        config(
            "run",
            "--kernel",
            "k",
            "--initrd",
            "i",
            "--cmdline",
            "a b",
            "--disk",
            "one:ro",
            "--disk",
            "two",
            "--disk",
            "three:rw",
            "--memory",
            "512M",
            "--cpus",
            "2",
            "--backend",
            "qemu",
            "--timeout",
            "5m");
    var image = config.customImage().orElseThrow();
    assertThat(image.kernel()).isEqualTo(Path.of("k"));
    assertThat(image.initrd()).contains(Path.of("i"));
    assertThat(image.commandLine()).contains("a b");
    assertThat(image.disks())
        .extracting(disk -> disk.image().getFileName() + " " + disk.readOnly())
        .containsExactly("one true", "two false", "three false");
    assertThat(config.memory()).hasToString("512 MiB");
    assertThat(config.cpuTopology().vcpus()).isEqualTo(2);
    assertThat(config.backend()).contains("qemu");
    assertThat(config.outputCaptured()).isTrue();
  }

  @Test
  void runHasDefaults() {
    VirtualMachineConfig config = config("run", "--kernel", "k");
    assertThat(config.memory()).hasToString("256 MiB");
    assertThat(config.cpuTopology().vcpus()).isEqualTo(1);
    assertThat(config.customImage().orElseThrow().commandLine()).isEmpty();
    assertThat(config.backend()).isEqualTo(Optional.empty());
  }

  private static VirtualMachineConfig appConfig(String... arguments) {
    var parsed = AvfCommand.commandLine().parseArgs(arguments);
    return ((RunAppCommand) parsed.subcommand().commandSpec().userObject()).config();
  }

  @Test
  void runAppTakesEveryOption() {
    String line =
        "run-app --config-path assets/c.json --extra-apk /one.apk --extra-apk /two.apk"
            + " --apex com.example.b=/b.apex --apex com.example.a=/a=b.apex --work-dir w"
            + " --storage-size 16M --debug none --memory 512M --cpus 2 --backend qemu"
            + " --boot-timeout 2m --timeout 5m --console c /app.apk";
    assertThat(appConfig(line.split(" ")))
        .isEqualTo(
            VirtualMachineConfig.builder()
                .payload(
                    Payload.apk(Path.of("/app.apk"))
                        .withConfigPath("assets/c.json")
                        .withExtraApk(Path.of("/one.apk"))
                        .withExtraApk(Path.of("/two.apk"))
                        .withApex("com.example.b", Path.of("/b.apex"))
                        .withApex("com.example.a", Path.of("/a=b.apex")))
                .encryptedStorage(DataSize.ofMebibytes(16))
                .memory(DataSize.ofMebibytes(512))
                .cpuTopology(CpuTopology.of(2))
                .backend("qemu")
                .bootTimeout(Duration.ofMinutes(2))
                .build());
  }

  @Test
  void runAppHasDefaults() {
    VirtualMachineConfig config =
        appConfig("run-app", "--payload-binary-name", "libx.so", "app.apk");
    assertThat(config.payload())
        .contains(Payload.apk(Path.of("app.apk")).withBinaryName("libx.so"));
    assertThat(config.debugLevel()).isEqualTo(DebugLevel.FULL);
    assertThat(config.outputCaptured()).isTrue();
    assertThat(config.encryptedStorage()).isEmpty();
    assertThat(config.bootTimeout()).isEqualTo(Duration.ofSeconds(60));
  }

  @ParameterizedTest
  @CsvSource({"60s, 60000", "500ms, 500", "2m, 120000", "1h, 3600000", "7, 7000"})
  void readsTimes(String text, long millis) {
    assertThat(new Converters.Time().convert(text)).isEqualTo(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "run                                 | Missing required option",
        "run --kernel k --memory 3x          | a size is a number",
        "run --kernel k --memory 1M          | memory must be at least 2 MiB but was 1 MiB",
        "run --kernel k --memory 4194305     | multiple of 4096 bytes",
        "run --kernel k --cpus 9             | vcpus must be in 1..8 but was 9",
        "run --kernel k --cpus x             | --cpus",
        "run --kernel k --timeout soon       | a time is a number",
        "run --kernel k --backend xen        | there is no backend \"xen\"",
        "run --kernel k --console-out /no/x  | cannot write --console-out /no/x",
        "run --kernel k --bogus              | --bogus",
        "run-app                             | Missing required",
        "run-app a.apk                       | --config-path",
        "run-app --config-path a --payload-binary-name b a.apk | mutually exclusive",
        "run-app --config-path a/ a.apk      | must be the name of a file in the APK",
        "run-app --payload-binary-name a/b a.apk | file name without '/'",
        "run-app --config-path a --debug some a.apk | a debug level is none or full",
        "run-app --config-path a --apex x a.apk | an APEX is NAME=FILE",
        "run-app --config-path a --apex ../x=y a.apk | letters, digits",
        "run-app --config-path a --apex x=y --apex x=z a.apk | there are two APEXes x",
        "run-app --config-path a --console /no/x a.apk | cannot write --console /no/x",
        "run-app --config-path a /no/a.apk   | /no/a.apk does not exist",
        "fly                                 | fly",
        "''                                  | Missing required subcommand",
      })
  void wrongUsageIsOneLineAndExitCode2(String line, String message) {
    String[] arguments = line.isBlank() ? new String[0] : line.split(" ");
    assertThat(execute(arguments)).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).startsWith("avf: ").contains(message).doesNotContain("\tat ");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void readmesCommandsAreUnderstood() throws Exception {
    List<String> commands =
        Files.readString(Path.of("../README.md"))
            .lines()
            .filter(line -> line.startsWith("bin/avf "))
            .map(line -> line.substring("bin/avf ".length()).replaceAll("#.*", "").strip())
            .toList();
    assertThat(commands).contains("info").hasSizeGreaterThan(5);
    for (String command : commands) {
      CommandLine.ParseResult parsed = AvfCommand.commandLine().parseArgs(command.split(" +"));
      assertThat(parsed.errors()).as(command).isEmpty();
    }
  }

  @Test
  void aMachineThatIsKeptTakesTheSameOptionsOnly() {
    String[] first = {
      "run-app", "--work-dir", folder.toString(), "--config-path", "a", "/no/a.apk"
    };
    for (int i = 0; i < 2; i++) {
      assertThat(execute(first)).isEqualTo(ExitCode.UNUSABLE);
      assertThat(err.toString())
          .contains("/no/a.apk does not exist")
          .doesNotContain("other options");
    }
    assertThat(folder.resolve("vm")).isDirectory();
    assertThat(
            execute("run-app", "--work-dir", folder.toString(), "--config-path", "b", "/no/a.apk"))
        .isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString())
        .contains("the machine in " + folder + " was made with other options");
  }

  @Test
  void infoSaysWhyAndWhatToDo() {
    assertThat(execute("info")).isZero();
    assertThat(out.toString())
        .contains("machines run on: ")
        .contains("backend kvm: ")
        .contains("backend qemu: ")
        .contains("protection level HARDWARE: not available\n")
        .contains("  to do: ");
  }

  @Test
  void infoIsJsonWhenAskedFor() throws Exception {
    assertThat(execute("info", "--json")).isZero();
    var json = new com.fasterxml.jackson.databind.ObjectMapper().readTree(out.toString());
    assertThat(json.get("backends").findValuesAsText("name")).contains("kvm", "qemu");
    assertThat(json.get("protection")).hasSize(3);
    assertThat(json.has("chosen")).isTrue();
  }

  @Test
  void exitCodeTellsHowTheGuestEnded() {
    assertThat(ExitCode.of(new StopReason.Shutdown())).isZero();
    assertThat(ExitCode.of(new StopReason.Reboot())).isZero();
    assertThat(ExitCode.of(new StopReason.Killed())).isEqualTo(1);
    assertThat(ExitCode.of(new StopReason.InfrastructureError("x"))).isEqualTo(1);
    assertThat(ExitCode.of(new StopReason.Crash(StopReason.CrashKind.PANIC, "x", Optional.empty())))
        .isEqualTo(1);
  }
}
