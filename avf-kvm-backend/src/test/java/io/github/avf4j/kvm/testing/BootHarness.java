package io.github.avf4j.kvm.testing;

import io.github.avf4j.Cid;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.KvmMachine;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Boots a kernel by hand: arguments KERNEL INITRD|- MEMORY CPUS COMMANDLINE [DISK…]. Serial output
 * goes to standard output, console output and the times to standard error.
 */
public final class BootHarness {
  private static final long TIMEOUT_SECONDS = Long.getLong("timeout", 600);

  private BootHarness() {}

  public static void main(String[] args) throws Exception {
    MachineSpec.Builder spec =
        MachineSpec.builder()
            .name("boot")
            .kernel(Path.of(args[0]))
            .memory(DataSize.parse(args[2]))
            .cpuTopology(CpuTopology.of(Integer.parseInt(args[3])))
            .commandLine(args[4])
            .cid(new Cid(3))
            .serialOutput((bytes, offset, length) -> System.out.write(bytes, offset, length))
            .consoleOutput((bytes, offset, length) -> System.err.write(bytes, offset, length));
    if (!"-".equals(args[1])) {
      spec.initrd(Path.of(args[1]));
    }
    for (int i = 5; i < args.length; i++) {
      spec.addDisks(new DiskSpec(Path.of(args[i]), false, "disk" + i));
    }
    int rounds = Integer.getInteger("rounds", 1);
    for (int i = 0; i < rounds; i++) {
      boot(spec.build());
    }
  }

  private static void boot(MachineSpec spec) throws Exception {
    CompletableFuture<Long> entered = new CompletableFuture<>();
    CompletableFuture<StopReason> stopped = new CompletableFuture<>();
    long called = System.nanoTime();
    try (KvmMachine machine =
        KvmMachine.create(
            spec,
            new MachineListener() {
              @Override
              public void entered(long nanoTime) {
                entered.complete(nanoTime);
              }

              @Override
              public void stopped(StopReason reason) {
                stopped.complete(reason);
              }
            })) {
      long made = System.nanoTime();
      machine.start();
      StopReason reason;
      try {
        reason = stopped.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      } catch (java.util.concurrent.TimeoutException e) {
        machine.kill();
        reason = stopped.get(60, TimeUnit.SECONDS);
      }
      System.out.flush();
      System.err.printf(
          "made after %.1f ms, entered after %.1f ms, stopped after %.1f ms: %s%n",
          (made - called) / 1e6,
          (entered.get() - called) / 1e6,
          (System.nanoTime() - called) / 1e6,
          reason);
    }
  }
}
