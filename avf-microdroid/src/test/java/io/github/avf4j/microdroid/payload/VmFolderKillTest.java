package io.github.avf4j.microdroid.payload;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.apk.Vectors;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills processes (SIGKILL) while they pack, at moments that no one chose. */
class VmFolderKillTest {
  private static final int KILLS = 8;
  private static final long SEED = 20;

  @TempDir Path temporary;

  @Test
  void goesOnWhereAKilledProcessStopped() throws Exception {
    Path first = Files.write(temporary.resolve("a.apk"), Vectors.bytes("small-ec.apk"));
    Path second = Files.write(temporary.resolve("b.apk"), Vectors.bytes("big-rsa4096.apk"));
    Random random = new Random(SEED);
    for (int kill = 0; kill < KILLS; kill++) {
      Path root = Files.createDirectory(temporary.resolve("round-" + kill));
      int done = killWhilePacking(root, first, second, 1 + random.nextInt(5), random.nextInt(40));
      assertThat(done).isPositive();
      // The last one that is known to be done, those after it, and one that was begun.
      try (var folders = Files.list(root)) {
        for (Path folder :
            folders
                .filter(path -> Integer.parseInt(path.getFileName().toString()) >= done - 1)
                .toList()) {
          checkAndGoOn(folder, first, second);
        }
      }
    }
  }

  private static void checkAndGoOn(Path folder, Path first, Path second) throws Exception {
    WholeFiles.check(folder, List.of(first, second));
    Path id = folder.resolve("instance_id");
    ByteSlice before = ByteSlice.takeOver(Files.exists(id) ? Files.readAllBytes(id) : new byte[0]);
    for (Path apk : List.of(first, second)) {
      PackedVm made = new VmFolder(folder).pack(PackingChild.payload(apk), PackingChild.OPTIONS);
      if (!before.isEmpty()) {
        assertThat(made.instanceId()).isEqualTo(before);
      }
      WholeFiles.check(folder, List.of(apk));
    }
    try (var files = Files.list(folder)) {
      assertThat(files).noneMatch(file -> file.toString().matches(".*\\.(part|new)"));
    }
  }

  /** Returns how many VMs the process said that it had packed. */
  private static int killWhilePacking(Path root, Path first, Path second, int vms, long millis)
      throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                PackingChild.class.getName(),
                root.toString(),
                first.toString(),
                second.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader lines = child.inputReader()) {
      int done = 0;
      while (done < vms && lines.readLine() != null) {
        done++;
      }
      // Not a wait for anything: it chooses where the process is when it is killed.
      Thread.sleep(millis);
      child.destroyForcibly();
      assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(child.exitValue()).isEqualTo(128 + 9);
      return done;
    } finally {
      child.destroyForcibly();
    }
  }
}
