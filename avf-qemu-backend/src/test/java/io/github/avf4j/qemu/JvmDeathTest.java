package io.github.avf4j.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing of a machine outlives its JVM. */
@Tag("qemu")
class JvmDeathTest {
  private static final long LIMIT_SECONDS = 30;

  @TempDir Path folder;

  @BeforeAll
  static void needQemu() {
    TestQemu.assumeUsable();
  }

  @Test
  void qemuAndItsFolderVanishWithAJvmThatIsKilled() throws Exception {
    Path kernel = new TinyGuest().print("here").hang().writeTo(folder.resolve("kernel"));
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Process jvm =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                ChildJvm.class.getName(),
                kernel.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader output = jvm.inputReader()) {
      List<ProcessHandle> processes = processes(output.readLine());
      assertThat(processes).hasSizeGreaterThanOrEqualTo(2);
      assertThat(foldersIn(temporary)).hasSize(1);
      jvm.destroyForcibly();
      for (ProcessHandle process : processes) {
        process.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
      }
    } finally {
      jvm.destroyForcibly();
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (!foldersIn(temporary).isEmpty() && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
    assertThat(foldersIn(temporary)).isEmpty();
  }

  private static List<ProcessHandle> processes(String line) {
    assertThat(line).startsWith("pids ");
    List<ProcessHandle> handles = new ArrayList<>();
    for (String pid : line.substring("pids ".length()).split(" ")) {
      ProcessHandle.of(Long.parseLong(pid)).ifPresent(handles::add);
    }
    return handles;
  }

  private static List<Path> foldersIn(Path temporary) throws Exception {
    try (Stream<Path> files = Files.list(temporary)) {
      return files.filter(f -> f.getFileName().toString().startsWith("avf-qemu-")).toList();
    }
  }
}
