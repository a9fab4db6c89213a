package io.github.avf4j.qemu.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SupervisorTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir Path parent;
  private Path folder;

  @BeforeEach
  void makeFolder() throws Exception {
    folder = Files.createDirectory(parent.resolve("a folder"));
    Files.createFile(folder.resolve("socket"));
  }

  private Supervisor start(String... command) {
    return Supervisor.start(folder, List.of(command));
  }

  @Test
  void givesTheStatusAndErrorOutputOfTheCommandAndDeletesTheFolder() throws Exception {
    Supervisor supervisor = start("/bin/sh", "-c", "echo \"$1\" >&2; exit 7", "sh", "it's $HOME");
    assertThat(new String(supervisor.errorOutput().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo("it's $HOME\n");
    assertThat(supervisor.awaitExit(LIMIT)).isTrue();
    assertThat(supervisor.describeExit()).isEqualTo("exit status 7");
    assertThat(folder).doesNotExist();
  }

  @Test
  void killsTheCommand() {
    Supervisor supervisor = start("/bin/sleep", "1000");
    supervisor.kill();
    supervisor.kill();
    assertThat(supervisor.awaitExit(LIMIT)).isTrue();
    assertThat(supervisor.describeExit()).isEqualTo("signal 9");
    assertThat(folder).doesNotExist();
  }

  @Test
  void tellsThatTheCommandCannotBeRun() {
    Supervisor supervisor = start(parent.resolve("missing").toString());
    assertThat(supervisor.awaitExit(LIMIT)).isTrue();
    assertThat(supervisor.describeExit()).isEqualTo("exit status 127");
  }

  @Test
  void endsTheCommandWhenSomebodyKillsTheSupervisor() throws Exception {
    Supervisor supervisor = start("/bin/sh", "-c", "echo $$ >&2; exec /bin/sleep 1000");
    byte[] line = new byte[16];
    int length = supervisor.errorOutput().read(line);
    long pid = Long.parseLong(new String(line, 0, length, StandardCharsets.UTF_8).strip());
    ProcessHandle command = ProcessHandle.of(pid).orElseThrow();
    supervisor.handle().destroyForcibly();
    command.onExit().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    assertThat(supervisor.awaitExit(LIMIT)).isTrue();
  }

  @Test
  void noMomentToKillTheSupervisorLeavesTheCommand() throws Exception {
    String mark = "1000." + ProcessHandle.current().pid();
    for (int i = 0; i < 50; i++) {
      Path own = Files.createDirectory(parent.resolve("own" + i));
      Supervisor supervisor = Supervisor.start(own, List.of("/bin/sleep", mark));
      TimeUnit.MICROSECONDS.sleep(100 * i);
      supervisor.handle().destroyForcibly();
      assertThat(supervisor.awaitExit(LIMIT)).isTrue();
    }
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (processesWith(mark) > 0 && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(20);
    }
    assertThat(processesWith(mark)).isZero();
  }

  private static long processesWith(String argument) {
    return ProcessHandle.allProcesses()
        .flatMap(process -> process.info().arguments().stream())
        .filter(arguments -> List.of(arguments).contains(argument))
        .count();
  }
}
