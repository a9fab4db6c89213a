package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Runs the C program that does the same kernel work. */
final class CBaseline {
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private CBaseline() {}

  /** Runs it with {@code arguments} and returns the numbers that it printed, one a line. */
  static double[] run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    String program = System.getProperty("avf.bench.baseline");
    if (program == null) {
      throw new IOException("there is no C baseline: bin/bench builds it, on x86-64 only");
    }
    command.add(program);
    command.addAll(List.of(arguments));
    String output =
        Programs.run(
            new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT), LIMIT);
    return output.lines().mapToDouble(Double::parseDouble).toArray();
  }
}
