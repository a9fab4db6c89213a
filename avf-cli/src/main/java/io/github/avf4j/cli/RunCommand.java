package io.github.avf4j.cli;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.DiskImage;
import io.github.avf4j.VirtualMachineConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code avf run}. */
@Command(
    name = "run",
    description = {
      "Boots a kernel in a machine with rng, console and vsock devices. Its serial console is"
          + " standard output."
    },
    footer = {
      "",
      "The last line on standard error is \"stopped: REASON\".",
      "Exit codes: 0 the guest powered off or reset itself; 1 it died; 2 unusable input;",
      "3 time-out."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class RunCommand implements Callable<Integer> {
  @Option(
      names = "--kernel",
      required = true,
      paramLabel = "FILE",
      description = "On x86-64 an ELF with a PVH or 64-bit entry or a bzImage, on arm64 an Image.")
  private Path kernel = Path.of("");

  @Option(names = "--initrd", paramLabel = "FILE", description = "The initial RAM disk.")
  private @Nullable Path initrd;

  @Option(
      names = "--cmdline",
      paramLabel = "TEXT",
      description = "The kernel's command line (console=ttyS0 panic=-1, and on x86-64 reboot=k).")
  private @Nullable String cmdline;

  @Option(
      names = "--disk",
      paramLabel = "FILE[:ro]",
      converter = Converters.Disk.class,
      description = "A raw disk image; may be given several times.")
  private List<DiskImage> disks = List.of();

  @Mixin private MachineOptions machine = new MachineOptions();

  @Option(
      names = "--console-out",
      paramLabel = "FILE",
      description = "Where the output of the virtio console goes; dropped otherwise.")
  private @Nullable Path consoleOut;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    PrintWriter err = spec.commandLine().getErr();
    Boot.Output output = new Boot.Output(System.out, false, consoleOut, "--console-out");
    return new Boot(config(), null, machine.timeout(), output, err).run();
  }

  VirtualMachineConfig config() {
    CustomImageConfig.Builder image = CustomImageConfig.builder().kernel(kernel).disks(disks);
    if (initrd != null) {
      image.initrd(initrd);
    }
    if (cmdline != null) {
      image.commandLine(cmdline);
    }
    return machine
        .config()
        .customImage(image.build())
        .debugLevel(DebugLevel.FULL)
        .outputCaptured(true)
        .build();
  }
}
