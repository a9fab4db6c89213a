package io.github.avf4j.benchmarks;

import io.github.avf4j.virtio.vsock.VsockBenchmark;

/** 64 bytes to a scripted guest and back. */
final class VsockRoundtrip implements Benchmark {
  private static final int ROUNDS = 9;

  @Override
  public String name() {
    return "vsock.roundtrip";
  }

  @Override
  public Result measure() throws Exception {
    double[] medians = VsockBenchmark.roundTrip(ROUNDS);
    return new Result(name(), medians[0], "us", medians[1], "at most 1.50");
  }
}
