package io.github.avf4j.benchmarks;

import java.nio.file.Path;

/**
 * A dm-verity tree over 1 GiB, against plain SHA-256 of the same file: the speed of one thread that
 * reads and hashes it, times the processors that the tree is made with.
 */
final class AttestationVeritySha256 implements Benchmark {
  private static final int ROUNDS = 5;

  @Override
  public String name() {
    return "attestation.verity.sha256";
  }

  @Override
  public Result measure() throws Exception {
    int cores = Runtime.getRuntime().availableProcessors();
    Samples ours = new Samples();
    Samples plain = new Samples();
    try (TemporaryFolder folder = new TemporaryFolder(VerityTree.SIZE)) {
      Path data = folder.random("data", VerityTree.SIZE);
      Path tree = folder.resolve("tree");
      for (int round = -1; round < ROUNDS; round++) {
        double baseline = PlainSha256.seconds(data, VerityTree.SIZE);
        long start = System.nanoTime();
        VerityTree.make(data, tree);
        double seconds = (System.nanoTime() - start) / 1e9;
        if (round >= 0) {
          plain.add(cores * VerityTree.mebibytesPerSecond(baseline));
          ours.add(VerityTree.mebibytesPerSecond(seconds));
        }
      }
    }
    String goal = "at least 0.80 (one thread's SHA-256 times %d)".formatted(cores);
    return new Result(name(), ours.median(), "MiB/s", plain.median(), goal);
  }
}
