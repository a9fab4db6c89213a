package io.github.avf4j.benchmarks;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Resident memory of the JVM per running machine, besides guest memory: the difference that sixteen
 * sleeping machines make, less the mappings that have the size of a guest's memory.
 */
final class VmRss implements Benchmark {
  private static final int MACHINES = 16;
  private static final double LIMIT_MEBIBYTES = 3;
  // A size that nothing else in a JVM has.
  private static final DataSize MEMORY = DataSize.ofBytes((37L << 20) + 4096 * 11);

  private static final Pattern MAPPING =
      Pattern.compile("(?m)^([0-9a-f]+)-([0-9a-f]+) .*\\n(?:[A-Z].*\\n)*?Rss: +(\\d+) kB");

  @Override
  public String name() {
    return "vm.rss";
  }

  @Override
  public Result measure() throws Exception {
    Kvm.require();
    Path store = Files.createTempDirectory("avf-bench");
    try (TinyKernel kernel = new TinyKernel(TinyKernel.SLEEPS);
        VirtualMachineManager manager = VirtualMachineManager.open(store)) {
      VirtualMachineConfig config =
          VirtualMachineConfig.builder()
              .customImage(
                  CustomImageConfig.builder().kernel(kernel.file()).commandLine("").build())
              .memory(MEMORY)
              .backend("kvm")
              .build();
      run(manager, config);
      long before = residentKibibytes();
      for (int i = 0; i < MACHINES; i++) {
        manager.get("rss" + i).orElseThrow().run();
      }
      long after = residentKibibytes();
      for (int i = 0; i < MACHINES; i++) {
        manager.get("rss" + i).orElseThrow().stop();
        manager.delete("rss" + i);
      }
      double mebibytes = (after - before) / 1024.0 / MACHINES;
      return new Result(name(), mebibytes, "MiB", LIMIT_MEBIBYTES, "at most 1.00 (3 MiB)");
    } finally {
      Folders.delete(store);
    }
  }

  /** Makes the machines, and runs each once so that classes and caches are there. */
  private static void run(VirtualMachineManager manager, VirtualMachineConfig config) {
    for (int i = 0; i < MACHINES; i++) {
      VirtualMachine vm = manager.create("rss" + i, config);
      vm.run();
      vm.stop();
    }
  }

  private static long residentKibibytes() throws IOException {
    System.gc();
    long total = 0;
    Matcher mapping = MAPPING.matcher(Files.readString(Path.of("/proc/self/smaps")));
    while (mapping.find()) {
      long size =
          Long.parseUnsignedLong(mapping.group(2), 16)
              - Long.parseUnsignedLong(mapping.group(1), 16);
      if (size != MEMORY.bytes()) {
        total += Long.parseLong(mapping.group(3));
      }
    }
    return total;
  }
}
