package io.github.avf4j.microdroid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Programs of others that tests ask for their opinion. */
public final class Foreign {
  private Foreign() {}

  /** Runs a program and returns what it says; skips the test where it is not installed. */
  public static String run(String debianPackage, String program, Object... arguments)
      throws IOException, InterruptedException {
    Result result = tryRun(debianPackage, program, arguments);
    assertThat(result.exitCode()).as(result.output()).isZero();
    return result.output();
  }

  /** Runs a program whatever its exit code is; skips the test where it is not installed. */
  public static Result tryRun(String debianPackage, String program, Object... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(find(debianPackage, program));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    Path output = Files.createTempFile("foreign", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(command.toString()).isTrue();
      return new Result(process.exitValue(), Files.readString(output, StandardCharsets.ISO_8859_1));
    } finally {
      process.destroyForcibly();
      Files.delete(output);
    }
  }

  /** How a program ended. */
  public record Result(int exitCode, String output) {}

  private static String find(String debianPackage, String program) {
    for (String folder : new String[] {"/usr/bin", "/usr/sbin", "/sbin", "/bin"}) {
      Path path = Path.of(folder, program);
      if (Files.isExecutable(path)) {
        return path.toString();
      }
    }
    assumeTrue(false, "needs " + program + " (package " + debianPackage + ")");
    return program;
  }
}
