package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.nio.file.Path;

/**
 * What making a dm-verity tree over 1 GiB adds to the peak of a JVM's resident memory, from the
 * first line of its program on: heap, buffers, classes, compiled code and threads. The heap is not
 * limited, so nothing is collected only because it must be.
 */
final class AttestationVerityMemory implements Benchmark {
  private static final double LIMIT_MEBIBYTES = 64;
  private static final int ROUNDS = 3;

  @Override
  public String name() {
    return "attestation.verity.memory";
  }

  @Override
  public Result measure() throws Exception {
    Samples peaks = new Samples();
    try (TemporaryFolder folder = new TemporaryFolder(VerityTree.SIZE)) {
      Path data = folder.random("data", VerityTree.SIZE);
      for (int round = 0; round < ROUNDS; round++) {
        peaks.add(PeakMemory.ofChild(Child.class, data, folder.resolve("tree")));
      }
    }
    return new Result(
        name(),
        peaks.median(),
        "MiB",
        LIMIT_MEBIBYTES,
        "at most 1.00 (64 MiB besides the bare JVM)");
  }

  /** The other JVM: makes the tree and prints in MiB what that added to the peak. */
  static final class Child {
    private Child() {}

    /** Takes the data and where the tree goes. */
    public static void main(String[] arguments) throws IOException {
      double before = PeakMemory.mebibytes();
      VerityTree.make(Path.of(arguments[0]), Path.of(arguments[1]));
      System.out.println(PeakMemory.mebibytes() - before);
    }
  }
}
