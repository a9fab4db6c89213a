package io.github.avf4j.benchmarks;

import io.github.avf4j.BootStage;
import io.github.avf4j.DataSize;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.kernel.KernelUnpacker;
import java.nio.file.Files;
import java.nio.file.Path;

/** {@code run()} to the first KVM_RUN of a stock kernel with 512 MiB, in a warm JVM. */
final class VmLoad implements Benchmark {
  private static final int ROUNDS = 21;
  private static final int WARM_UP = 5;
  private static final int MEBIBYTES = 512;

  @Override
  public String name() {
    return "vm.load";
  }

  @Override
  public Result measure() throws Exception {
    Kvm.require();
    String kernel =
        new KernelUnpacker(CacheFolder.ofUser()).unpack(PayloadMachine.kernel().image()).toString();
    VirtualMachineConfig config =
        VirtualMachineConfig.builder()
            .payload(PayloadMachine.exits())
            .memory(DataSize.ofMebibytes(MEBIBYTES))
            .backend("kvm")
            .build();
    Samples ours = new Samples();
    Samples c = new Samples();
    Path store = Files.createTempDirectory("avf-bench");
    try (VirtualMachineManager manager = VirtualMachineManager.open(store)) {
      VirtualMachine vm = manager.create("load", config);
      for (int round = -WARM_UP; round < ROUNDS; round++) {
        double baseline = CBaseline.run("load", kernel, Integer.toString(MEBIBYTES), "1")[0] / 1e6;
        vm.run();
        double load = vm.getTimeline().at(BootStage.KERNEL_ENTERED).orElseThrow().toNanos() / 1e6;
        vm.stop();
        if (round >= 0) {
          c.add(baseline);
          ours.add(load);
        }
      }
      manager.delete("load");
    } finally {
      Folders.delete(store);
    }
    return new Result(name(), ours.median(), "ms", c.median(), "at most 1.00");
  }
}
