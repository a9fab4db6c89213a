package io.github.avf4j.examples.hello;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HostReport;
import io.github.avf4j.KernelImage;
import io.github.avf4j.Virtualization;
import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The README's example and the main job, in a machine. */
@Tag("qemu")
@Timeout(300)
class TenLinesTest {
  @TempDir Path folder;

  @BeforeEach
  void needsAMachine() {
    HostReport report = Virtualization.probe();
    assumeTrue(report.chosen().isPresent(), report.choice());
    Path kernel = KernelImage.installed().image();
    assumeTrue(Files.exists(kernel), kernel + " is not there: run bin/setup");
  }

  @Test
  void readmesExampleGivesItsAnswer() throws Exception {
    try (InputStream in = Hello.payload()) {
      Files.copy(in, folder.resolve("hello-payload"));
    }
    // `printf 'one\ntwo\n' | sha256sum`
    assertThat(run(TenLines.class, 0))
        .contains("c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8 2\n");
  }

  @Test
  void helloGetsTheRightAnswer() throws Exception {
    assertThat(run(Hello.class, 0, "--size", "3M"))
        .contains("backend     ", "payload started", "right: ", "stopped     SHUTDOWN");
  }

  @Test
  void helloSaysInOneLineWhyItCannotRun() throws Exception {
    assertThat(run(Hello.class, 2, "--backend", "xen"))
        .startsWith("hello: there is no backend \"xen\"")
        .hasLineCount(1);
  }

  private String run(Class<?> main, int exitCode, String... arguments) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            absolute(System.getProperty("java.class.path")),
            main.getName());
    builder.command().addAll(List.of(arguments));
    Path output = folder.resolve("output");
    Process process =
        builder
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(240, TimeUnit.SECONDS)) {
      process.destroy();
    }
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(text).isEqualTo(exitCode);
    return text;
  }

  /** The child has another working folder. */
  private static String absolute(String classPath) {
    return Stream.of(classPath.split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
