package io.github.avf4j.benchmarks;

import io.github.avf4j.BootStage;
import io.github.avf4j.BootTimeline;
import io.github.avf4j.Payload;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.microdroid.apk.ApkWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * From the guest's init to its payload on the QEMU backend: a payload in an APK that the guest
 * verifies, against a plain executable.
 */
final class MicrodroidBoot implements Benchmark {
  private static final int ROUNDS = 9;
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String LIBRARY = "libvault.so";

  @Override
  public String name() {
    return "microdroid.boot";
  }

  @Override
  public Result measure() throws Exception {
    PayloadMachine.kernel();
    String library = System.getProperty("avf.bench.library");
    if (library == null || !Files.isReadable(Path.of(library))) {
      throw new Unavailable("there is no payload's library: run this through bin/bench");
    }
    Path store = Files.createTempDirectory("avf-bench");
    try (TemporaryFolder folder = new TemporaryFolder(64 << 20);
        VirtualMachineManager manager = VirtualMachineManager.open(store)) {
      Path apk = folder.resolve("payload.apk");
      SampleKey.sign(
          new ApkWriter("com.example.boot").add("lib/x86_64/" + LIBRARY, Path.of(library)), apk);
      VirtualMachine verified =
          manager.create("verified", config(Payload.apk(apk).withBinaryName(LIBRARY)));
      VirtualMachine plain = manager.create("plain", config(PayloadMachine.exits()));
      Samples ours = new Samples();
      Samples baseline = new Samples();
      // The first boot of an instance writes its record.
      for (int round = -1; round < ROUNDS; round++) {
        double before = boot(plain);
        double after = boot(verified);
        if (round >= 0) {
          baseline.add(before);
          ours.add(after);
        }
      }
      manager.delete("verified");
      manager.delete("plain");
      String goal =
          String.format(
              "at most 0.50 s over the baseline, was %.2f s", ours.median() - baseline.median());
      return new Result(name(), ours.median(), "s", baseline.median(), goal);
    } finally {
      Folders.delete(store);
    }
  }

  private static VirtualMachineConfig config(Payload payload) {
    return VirtualMachineConfig.builder().payload(payload).backend("qemu").build();
  }

  private static double boot(VirtualMachine vm) throws InterruptedException {
    vm.run();
    Duration started;
    Duration init;
    while (true) {
      BootTimeline timeline = vm.getTimeline();
      if (timeline.at(BootStage.PAYLOAD_STARTED).isPresent()) {
        started = timeline.at(BootStage.PAYLOAD_STARTED).get();
        init = timeline.at(BootStage.INIT).orElseThrow();
        break;
      }
      if (vm.awaitStopped(Duration.ofMillis(20)).isPresent()
          && vm.getTimeline().at(BootStage.PAYLOAD_STARTED).isEmpty()) {
        throw new IllegalStateException("the machine stopped: " + vm.awaitStopped(LIMIT));
      }
    }
    vm.close();
    return started.minus(init).toNanos() / 1e9;
  }
}
