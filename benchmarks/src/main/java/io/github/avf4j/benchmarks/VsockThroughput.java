package io.github.avf4j.benchmarks;

import io.github.avf4j.virtio.vsock.VsockBenchmark;

/** 64 KiB messages one way with a scripted guest, in the slower direction. */
final class VsockThroughput implements Benchmark {
  private static final int ROUNDS = 9;

  @Override
  public String name() {
    return "vsock.throughput";
  }

  @Override
  public Result measure() throws Exception {
    double[] medians = VsockBenchmark.throughput(ROUNDS);
    double slower = Math.min(medians[0], medians[1]);
    return new Result(name(), slower, "MiB/s", medians[2], "at least 0.80");
  }
}
