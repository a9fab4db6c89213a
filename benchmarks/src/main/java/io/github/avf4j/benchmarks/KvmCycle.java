package io.github.avf4j.benchmarks;

import io.github.avf4j.Cid;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.KvmMachine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Create a whole machine, run it to its first exit, destroy it. */
final class KvmCycle implements Benchmark {
  private static final int BATCHES = 20;
  private static final int PER_BATCH = 10;

  @Override
  public String name() {
    return "kvm.cycle";
  }

  @Override
  public Result measure() throws Exception {
    Kvm.require();
    Samples ours = new Samples();
    Samples c = new Samples();
    try (TinyKernel kernel = new TinyKernel(TinyKernel.RESETS)) {
      MachineSpec spec =
          MachineSpec.builder()
              .name("cycle")
              .cpuTopology(CpuTopology.oneCpu())
              .memory(DataSize.ofMebibytes(2))
              .kernel(kernel.file())
              .commandLine("")
              .cid(new Cid(3))
              .build();
      for (int i = 0; i < 2 * PER_BATCH; i++) {
        cycle(spec);
      }
      for (int batch = 0; batch < BATCHES; batch++) {
        for (double nanos : CBaseline.run("cycle", Integer.toString(PER_BATCH))) {
          c.add(nanos / 1e6);
        }
        for (int i = 0; i < PER_BATCH; i++) {
          ours.add(cycle(spec));
        }
      }
    }
    return new Result(name(), ours.median(), "ms", c.median(), "at most 1.15");
  }

  private static double cycle(MachineSpec spec) throws InterruptedException {
    CountDownLatch stopped = new CountDownLatch(1);
    MachineListener listener =
        new MachineListener() {
          @Override
          public void entered(long nanoTime) {}

          @Override
          public void stopped(StopReason reason) {
            stopped.countDown();
          }
        };
    long start = System.nanoTime();
    try (KvmMachine machine = KvmMachine.create(spec, listener)) {
      machine.start();
      if (!stopped.await(10, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the tiny guest did not stop");
      }
    }
    return (System.nanoTime() - start) / 1e6;
  }
}
