package io.github.avf4j.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;

/** Whether KVM can be measured here. */
final class Kvm {
  private static final Path DEVICE = Path.of("/dev/kvm");

  private Kvm() {}

  static void require() throws Benchmark.Unavailable {
    if (!Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
      throw new Benchmark.Unavailable("/dev/kvm cannot be opened");
    }
  }
}
