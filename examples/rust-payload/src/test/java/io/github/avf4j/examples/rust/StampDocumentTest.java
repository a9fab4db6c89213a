package io.github.avf4j.examples.rust;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HostReport;
import io.github.avf4j.KernelImage;
import io.github.avf4j.Virtualization;
import java.io.File;
import java.io.IOException;
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

/** The payload in Rust answers from a machine. */
@Tag("qemu")
@Timeout(400)
class StampDocumentTest {
  private static final long LIMIT_SECONDS = 180;

  @TempDir Path folder;

  @Test
  void oneInstanceAlwaysMakesTheSameStampAndNoOtherDoes() throws Exception {
    HostReport report = Virtualization.probe();
    assumeTrue(report.chosen().isPresent(), report.choice());
    Path kernel = KernelImage.installed().image();
    assumeTrue(Files.exists(kernel), kernel + " is not there: run bin/setup");
    String stamp = stampIn(Files.createDirectory(folder.resolve("here")));
    assertThat(stamp).matches("[0-9a-f]{64}");
    assertThat(stampIn(folder.resolve("here"))).isEqualTo(stamp);
    assertThat(stampIn(Files.createDirectory(folder.resolve("there"))))
        .hasSameSizeAs(stamp)
        .isNotEqualTo(stamp);
  }

  /** Runs the example there; returns the last line that it printed. */
  private static String stampIn(Path workingFolder) throws IOException, InterruptedException {
    Path output = workingFolder.resolve("output");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                absolute(System.getProperty("java.class.path")),
                StampDocument.class.getName())
            .directory(workingFolder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroy();
    }
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(text).isZero();
    return text.lines().reduce("", (before, last) -> last);
  }

  /** The child has another working folder. */
  private static String absolute(String classPath) {
    return Stream.of(classPath.split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
