package io.github.avf4j.examples.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HostReport;
import io.github.avf4j.KernelImage;
import io.github.avf4j.Virtualization;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A Java class answers from a machine. */
@Tag("qemu")
@Timeout(400)
class AskForPrimeTest {
  @TempDir Path folder;

  @Test
  void aJavaClassAnswersFromItsMachine() throws Exception {
    HostReport report = Virtualization.probe();
    assumeTrue(report.chosen().isPresent(), report.choice());
    Path kernel = KernelImage.installed().image();
    assumeTrue(Files.exists(kernel), kernel + " is not there: run bin/setup");
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                absolute(System.getProperty("java.class.path")),
                AskForPrime.class.getName())
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(360, TimeUnit.SECONDS)) {
      process.destroy();
    }
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(text).isZero();
    assertThat(text).contains("1000000000039\n");
  }

  /** The child has another working folder. */
  private static String absolute(String classPath) {
    return Stream.of(classPath.split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
