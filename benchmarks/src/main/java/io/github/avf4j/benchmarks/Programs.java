package io.github.avf4j.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Runs a baseline that is a program of its own. */
final class Programs {
  private Programs() {}

  /**
   * Runs a program without input to its end.
   *
   * @return what it printed
   * @throws IOException if it fails, or takes longer than {@code limit}
   */
  static String run(ProcessBuilder program, Duration limit)
      throws IOException, InterruptedException {
    Process process = program.redirectInput(new File("/dev/null")).start();
    // Ends what hangs, and with it the reading below.
    process
        .onExit()
        .orTimeout(limit.toSeconds(), TimeUnit.SECONDS)
        .exceptionally(late -> process.destroyForcibly());
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", program.command()) + " failed: " + output);
    }
    return output;
  }
}
