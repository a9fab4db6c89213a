package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The peak of a JVM's resident memory, which is measured in one that does nothing else. */
final class PeakMemory {
  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final Pattern PEAK = Pattern.compile("(?m)^VmHWM:\\s+(\\d+) kB$");

  private PeakMemory() {}

  /**
   * Runs a program of ours in another JVM, whose heap is not limited.
   *
   * @param program prints a number
   * @return the number
   */
  static double ofChild(Class<?> program, Path... arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName()));
    for (Path argument : arguments) {
      command.add(argument.toString());
    }
    ProcessBuilder child =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    return Double.parseDouble(Programs.run(child, LIMIT).strip());
  }

  /** Returns the peak of this process so far, in MiB. */
  static double mebibytes() throws IOException {
    Matcher peak = PEAK.matcher(Files.readString(Path.of("/proc/self/status")));
    if (!peak.find()) {
      throw new IOException("the kernel does not say VmHWM in /proc/self/status");
    }
    return Long.parseLong(peak.group(1)) / 1024.0;
  }
}
