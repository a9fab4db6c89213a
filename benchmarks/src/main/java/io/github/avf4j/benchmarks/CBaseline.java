package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the C program that does the same kernel work. */
final class CBaseline {
  private CBaseline() {}

  /** Runs it with {@code arguments} and returns the numbers that it printed, one a line. */
  static double[] run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    String program = System.getProperty("avf.bench.baseline");
    if (program == null) {
      throw new IOException("the C baseline was not built: run this through bin/bench");
    }
    command.add(program);
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    if (!process.waitFor(300, TimeUnit.SECONDS) || process.exitValue() != 0) {
      process.destroyForcibly();
      throw new IOException("the C baseline failed: " + String.join(" ", command));
    }
    return output.lines().mapToDouble(Double::parseDouble).toArray();
  }
}
