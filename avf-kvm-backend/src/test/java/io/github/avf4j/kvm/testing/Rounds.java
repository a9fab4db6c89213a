package io.github.avf4j.kvm.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * The same thing done many times, by several threads at once, each time with other random numbers.
 * Thread-safe.
 *
 * @param threads how many do it at once
 * @param secondsEach how long to wait for each round when its turn comes
 */
public record Rounds(int threads, int secondsEach) {
  /** One time. */
  @FunctionalInterface
  public interface Round {
    /** Does it, as {@code random} says. */
    void run(Random random) throws Exception;
  }

  /** Does it {@code count} times; a failure of one is thrown. All threads have ended then. */
  public void run(int count, long seed, Round round) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Void>> all =
          IntStream.range(0, count)
              .mapToObj(
                  i ->
                      pool.<Void>submit(
                          () -> {
                            round.run(new Random(seed * 1000 + i));
                            return null;
                          }))
              .toList();
      for (Future<Void> one : all) {
        one.get(secondsEach, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
      assertThat(pool.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }
  }
}
