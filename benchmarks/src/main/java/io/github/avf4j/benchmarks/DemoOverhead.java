package io.github.avf4j.benchmarks;

import io.github.avf4j.BootStage;
import io.github.avf4j.ExecutablePayload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.Virtualization;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.GuestImages;
import io.github.avf4j.microdroid.payload.PayloadDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * {@code run()} to powered off on the QEMU backend, against QEMU started by hand with the same
 * kernel, initial RAM disk and payload.
 */
final class DemoOverhead implements Benchmark {
  private static final int ROUNDS = 7;
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @Override
  public String name() {
    return "demo.overhead";
  }

  @Override
  public Result measure() throws Exception {
    ExecutablePayload payload = PayloadMachine.exits();
    Path store = Files.createTempDirectory("avf-bench");
    Path folder = Files.createTempDirectory("avf-bench");
    try (VirtualMachineManager manager = VirtualMachineManager.open(store)) {
      Path disk = new PayloadDisk(folder.resolve("payload.img")).write(payload);
      GuestImages.Boot boot = new GuestImages(CacheFolder.ofUser()).boot(PayloadMachine.kernel());
      VirtualMachine vm =
          manager.create(
              "demo", VirtualMachineConfig.builder().payload(payload).backend("qemu").build());
      String clock = clock();
      Samples ours = new Samples();
      Samples plain = new Samples();
      for (int round = -1; round < ROUNDS; round++) {
        double baseline = plainQemu(boot, disk, clock);
        double value = run(vm);
        if (round >= 0) {
          plain.add(baseline);
          ours.add(value);
        }
      }
      manager.delete("demo");
      String goal =
          String.format(
              "at most 1.0 s over the baseline, was %.2f s", ours.median() - plain.median());
      return new Result(name(), ours.median(), "s", plain.median(), goal);
    } finally {
      Folders.delete(store);
      Folders.delete(folder);
    }
  }

  private static double run(VirtualMachine vm) throws InterruptedException {
    vm.run();
    StopReason reason = vm.awaitStopped(LIMIT).orElseThrow();
    if (!reason.equals(new StopReason.Shutdown())) {
      throw new IllegalStateException("the machine stopped with " + reason);
    }
    return vm.getTimeline().at(BootStage.STOPPED).orElseThrow().toNanos() / 1e9;
  }

  /** The kernel cannot measure its clock on this machine type, so both sides tell it. */
  private static String clock() {
    return Virtualization.probe().backends().stream()
        .filter(backend -> backend.name().equals("qemu"))
        .flatMap(backend -> Stream.ofNullable(backend.details().get("tscKhz")))
        .map(frequency -> " tsc_early_khz=" + frequency)
        .findFirst()
        .orElse("");
  }

  private static double plainQemu(GuestImages.Boot boot, Path disk, String clock)
      throws IOException, InterruptedException {
    List<String> command =
        List.of(
            "qemu-system-x86_64",
            "-M",
            "microvm,acpi=on,rtc=on",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
            "-accel",
            "tcg,thread=multi",
            "-cpu",
            "max",
            "-m",
            "256M",
            "-kernel",
            boot.kernel().toString(),
            "-initrd",
            boot.initrd().toString(),
            "-append",
            "console=ttyS0 reboot=k panic=-1 pci=off i8042.noaux i8042.nomux i8042.dumbkbd"
                + " random.trust_cpu=on cryptomgr.notests quiet loglevel=4 avf.report=console"
                + clock,
            "-serial",
            "stdio",
            "-device",
            "virtio-serial-device",
            "-chardev",
            "null,id=hvc0",
            "-device",
            "virtconsole,chardev=hvc0",
            "-device",
            "virtio-rng-device",
            "-drive",
            "if=none,id=payload,format=raw,readonly=on,file=" + disk,
            "-device",
            "virtio-blk-device,drive=payload,serial=payload");
    long start = System.nanoTime();
    Programs.run(new ProcessBuilder(command).redirectErrorStream(true), LIMIT);
    return (System.nanoTime() - start) / 1e9;
  }
}
