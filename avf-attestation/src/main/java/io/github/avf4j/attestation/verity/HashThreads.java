package io.github.avf4j.attestation.verity;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads of one call: daemons named {@code avf-verity-N}, which end with it. */
final class HashThreads {
  private HashThreads() {}

  static ExecutorService start(int count) {
    AtomicInteger number = new AtomicInteger();
    return Executors.newFixedThreadPool(
        count,
        job -> {
          Thread thread = new Thread(job, "avf-verity-" + number.getAndIncrement());
          thread.setDaemon(true);
          return thread;
        });
  }

  // Not shutdownNow: an interrupted reader would close the caller's channel.
  static void end(ExecutorService pool) {
    pool.shutdown();
    boolean interrupted = Thread.interrupted();
    try {
      pool.awaitTermination(1, TimeUnit.MINUTES);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
