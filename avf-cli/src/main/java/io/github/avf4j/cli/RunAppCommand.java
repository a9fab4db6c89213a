package io.github.avf4j.cli;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.DataSize;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.Payload;
import io.github.avf4j.VirtualMachineConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code avf run-app}. */
@Command(
    name = "run-app",
    description = {
      "Runs what is in a signed APK, in a machine that verifies it. What the payload prints is",
      "standard output."
    },
    footer = {
      "",
      "Standard error has a line for each step of the payload; the last one is \"stopped: REASON\".",
      "Exit codes: 0 the payload ended, with whatever code; 1 the machine died or refused the",
      "payload; 2 unusable input; 3 time-out."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class RunAppCommand implements Callable<Integer> {
  /** What of the APK runs. */
  static final class Task {
    @Option(
        names = "--config-path",
        paramLabel = "PATH",
        required = true,
        description = "The configuration in the APK, such as assets/vm_config.json; or")
    private @Nullable String configPath;

    @Option(
        names = "--payload-binary-name",
        paramLabel = "NAME",
        required = true,
        description = "the library in the APK, such as libpayload.so.")
    private @Nullable String binaryName;
  }

  @Parameters(paramLabel = "APK", description = "The APK.")
  private Path apk = Path.of("");

  @ArgGroup(exclusive = true, multiplicity = "1")
  private Task task = new Task();

  @Option(
      names = "--extra-apk",
      paramLabel = "FILE",
      description = {
        "A signed APK that the payload finds at /mnt/extra-apk/N; may be given several times, in the",
        "order of the configuration's extra_apks."
      })
  private List<Path> extraApks = List.of();

  @Option(
      names = "--apex",
      paramLabel = "NAME=FILE",
      converter = Converters.Apex.class,
      description = {
        "An APEX that the payload finds at /apex/NAME; may be given several times, once for each of",
        "the configuration's apexes."
      })
  private List<ApkPayload.Apex> apexes = List.of();

  @Option(
      names = "--work-dir",
      paramLabel = "DIR",
      description = {
        "Where the machine is kept, with its secrets and its storage, for the next run with the same",
        "options; without it nothing is kept."
      })
  private @Nullable Path workDir;

  @Option(
      names = "--base-image",
      paramLabel = "DIR",
      description = {
        "What the machine boots: a folder that \"avf microdroid build\" made (one that is made when it is",
        "needed, signed with a published key)."
      })
  private @Nullable Path baseImage;

  @Option(
      names = "--base-image-key",
      paramLabel = "FILE",
      description = {
        "The RSA key that must have signed it, in PEM or AVB's format; the machine boots nothing else",
        "(the published one)."
      })
  private @Nullable Path baseImageKey;

  @Option(
      names = "--storage-size",
      paramLabel = "SIZE",
      converter = Converters.Size.class,
      description = "The size of the encrypted storage; none otherwise.")
  private @Nullable DataSize storageSize;

  @Option(
      names = "--debug",
      paramLabel = "none|full",
      converter = Converters.Debug.class,
      defaultValue = "full",
      description = "Whether its output can be read (${DEFAULT-VALUE}).")
  private DebugLevel debug = DebugLevel.FULL;

  @Mixin private MachineOptions machine = new MachineOptions();

  @Option(
      names = "--boot-timeout",
      paramLabel = "TIME",
      converter = Converters.Time.class,
      defaultValue = "60s",
      description = "How long the guest may take to start the payload (${DEFAULT-VALUE}).")
  private Duration bootTimeout = Duration.ofSeconds(60);

  @Option(
      names = "--console",
      paramLabel = "FILE",
      description = "Where the output of the guest's kernel goes; dropped otherwise.")
  private @Nullable Path console;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    PrintWriter err = spec.commandLine().getErr();
    Boot.Output output = new Boot.Output(System.out, true, console, "--console");
    return new Boot(config(), workDir, machine.timeout(), output, err).run();
  }

  VirtualMachineConfig config() {
    return machine
        .config()
        .payload(payload())
        .debugLevel(debug)
        .outputCaptured(debug == DebugLevel.FULL)
        .bootTimeout(bootTimeout)
        .baseImage(Optional.ofNullable(baseImage))
        .baseImageKey(Optional.ofNullable(baseImageKey))
        .encryptedStorage(Optional.ofNullable(storageSize))
        .build();
  }

  private ApkPayload payload() {
    ApkPayload payload = Payload.apk(apk);
    if (task.configPath != null) {
      payload = payload.withConfigPath(task.configPath);
    }
    if (task.binaryName != null) {
      payload = payload.withBinaryName(task.binaryName);
    }
    for (Path file : extraApks) {
      payload = payload.withExtraApk(file);
    }
    for (ApkPayload.Apex apex : apexes) {
      payload = payload.withApex(apex.name(), apex.file());
    }
    return payload;
  }
}
