package io.github.avf4j.benchmarks;

import io.github.avf4j.ExecutablePayload;
import io.github.avf4j.KernelImage;
import io.github.avf4j.Payload;
import java.nio.file.Files;
import java.nio.file.Path;

/** What machines with a payload are made of in benchmarks. */
final class PayloadMachine {
  private PayloadMachine() {}

  /** Returns the kernel that {@code bin/setup} fetched. */
  static KernelImage kernel() throws Benchmark.Unavailable {
    KernelImage kernel = KernelImage.installed();
    if (!Files.isReadable(kernel.image())) {
      throw new Benchmark.Unavailable(
          "there is no kernel at " + kernel.image() + ": run bin/setup");
    }
    return kernel;
  }

  /** Returns a payload that exits at once. */
  static ExecutablePayload exits() throws Benchmark.Unavailable {
    String file = System.getProperty("avf.bench.payload");
    if (file == null || !Files.isExecutable(Path.of(file))) {
      throw new Benchmark.Unavailable("there is no test payload: run this through bin/bench");
    }
    return Payload.executable(Path.of(file)).withArguments("exit", "0");
  }
}
