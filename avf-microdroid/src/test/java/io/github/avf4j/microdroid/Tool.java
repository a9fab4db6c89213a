package io.github.avf4j.microdroid;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Foreign tools, whose word counts more than ours. A test whose tool is missing is skipped. */
public final class Tool {
  private Tool() {}

  /** Runs a tool with {@code input} as its standard input; returns its standard output. */
  public static byte[] run(Path folder, byte[] input, String... command)
      throws IOException, InterruptedException {
    boolean installed =
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(path -> Files.isExecutable(Path.of(path, command[0])));
    assumeTrue(installed, command[0] + " is not installed");
    Path in = Files.createTempFile(folder, "in", "");
    Path out = Files.createTempFile(folder, "out", "");
    try (OutputStream stream = Files.newOutputStream(in)) {
      new ByteArrayInputStream(input).transferTo(stream);
    }
    Process process =
        new ProcessBuilder(List.of(command))
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException(command[0] + " did not end");
    }
    if (process.exitValue() != 0) {
      throw new IOException(command[0] + " ended with " + process.exitValue());
    }
    return Files.readAllBytes(out);
  }
}
