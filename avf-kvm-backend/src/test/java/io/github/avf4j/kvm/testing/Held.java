package io.github.avf4j.kvm.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What this process holds, for tests that look for what machines leave behind. Thread-safe. */
public final class Held {
  private Held() {}

  /** Returns the number of open descriptors. */
  public static long descriptors() throws IOException {
    try (var fds = Files.list(Path.of("/proc/self/fd"))) {
      return fds.count();
    }
  }

  /** Returns the number of live threads of machines. */
  public static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().startsWith("avf-"))
        .count();
  }

  /** Returns the lines of the memory map, each a mapping. */
  public static List<String> mappings() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps"));
  }

  /** Returns the number of mappings in whose lines {@code regex} is found. */
  public static long mappings(String regex) throws IOException {
    return mappings().stream().filter(line -> line.matches(".*(" + regex + ").*")).count();
  }
}
