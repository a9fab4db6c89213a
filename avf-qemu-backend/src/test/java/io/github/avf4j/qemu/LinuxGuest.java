package io.github.avf4j.qemu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.KernelImage;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.MachineSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Puts machines together that run a payload on the kernel that {@code bin/setup} fetches. */
final class LinuxGuest {
  static final String COMMAND_LINE =
      "console=ttyS0 quiet panic=-1 reboot=k pci=off random.trust_cpu=on cryptomgr.notests";

  private static final Path BUILT =
      Path.of("../avf-microdroid/target/cargo/x86_64-unknown-linux-gnu/release");
  private static final List<String> MODULES =
      List.of(
          "virtio_ring",
          "virtio",
          "virtio_mmio",
          "virtio_blk",
          "vsock",
          "vmw_vsock_virtio_transport_common",
          "vmw_vsock_virtio_transport",
          "virtio_console",
          "virtio-rng");

  private final KernelImage kernel = KernelImage.installed();
  private final Path folder;

  LinuxGuest(Path folder) {
    this.folder = folder;
  }

  /** Skips the test, with the reason, where kernel or guest are missing. */
  static void assumeThere() {
    Path kernel = KernelImage.installed().image();
    assumeTrue(
        Files.isReadable(kernel), () -> "skipped: no " + kernel + ": run bin/setup --kernel");
    Path guest = BUILT.resolve("avf-guest").toAbsolutePath().normalize();
    assumeTrue(
        Files.isExecutable(guest), () -> "skipped: no " + guest + ": build avf-microdroid first");
  }

  /** Returns a machine that runs the test payload with {@code arguments}. */
  MachineSpec.Builder spec(String... arguments) throws IOException {
    Path initrd = Files.write(folder.resolve("initrd"), initrd());
    Path payload = Files.write(folder.resolve("payload"), payload(arguments));
    return TestQemu.spec("linux", kernel.image())
        .initrd(initrd)
        .memory(DataSize.ofMebibytes(256))
        .cpuTopology(CpuTopology.oneCpu())
        .commandLine(COMMAND_LINE)
        .addDisk(new DiskSpec(payload, true, "payload"));
  }

  private static byte[] payload(String... arguments) throws IOException {
    StringBuilder strings = new StringBuilder();
    for (String argument : arguments) {
      strings.append(argument).append('\0');
    }
    return new Newc()
        .file("payload", Files.readAllBytes(BUILT.resolve("test-payload")))
        .file("args", strings.toString().getBytes(StandardCharsets.UTF_8))
        .toByteArray();
  }

  private byte[] initrd() throws IOException {
    Newc archive = new Newc().folder("dev").folder("proc").folder("sys").folder("lib");
    archive.folder("lib/modules").file("init", Files.readAllBytes(BUILT.resolve("avf-guest")));
    StringBuilder list = new StringBuilder();
    for (String module : MODULES) {
      archive.file("lib/modules/" + module + ".ko", Files.readAllBytes(find(module + ".ko")));
      list.append("/lib/modules/").append(module).append(".ko\n");
    }
    archive.file("lib/modules/load", list.toString().getBytes(StandardCharsets.UTF_8));
    return archive.toByteArray();
  }

  private Path find(String name) throws IOException {
    try (Stream<Path> files = Files.walk(kernel.modules())) {
      return files
          .filter(file -> file.getFileName().toString().equals(name))
          .findFirst()
          .orElseThrow(() -> new IOException(name + " is not in " + kernel.modules()));
    }
  }
}
