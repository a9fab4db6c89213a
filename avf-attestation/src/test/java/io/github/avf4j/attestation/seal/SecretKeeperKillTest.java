package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.internal.DurableFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ends a process that uses the keeper, and looks at what it left. After each end: the secret is the
 * first one, the last confirmed version opens it, the version before that does not, and what was in
 * work counts as a whole or not at all.
 */
class SecretKeeperKillTest {
  private static final int RANDOM_KILLS = 12;
  private static final int OPERATIONS = 8;
  private static final int CREATE_OPERATIONS = 9;

  /** The number of the operation that makes a device secret appear. */
  private static final int LINK = 6;

  @TempDir Path directory;

  /** What a child said before it ended. */
  private static final class Report {
    long begun;
    long confirmed;
    String lastLine = "";
  }

  private Process start(long version, int operation) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            SecretKeeperChild.class.getName(),
            directory.toString(),
            Long.toString(version),
            Integer.toString(operation))
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static Report read(Process child, Report report, int boots) throws IOException {
    BufferedReader lines = child.inputReader();
    for (String line; boots > 0 && (line = lines.readLine()) != null; ) {
      report.lastLine = line;
      if (line.startsWith("booting ")) {
        report.begun = Long.parseLong(line.substring(8));
      } else if (line.startsWith("booted ")) {
        report.confirmed = Long.parseLong(line.substring(7));
        boots--;
      }
    }
    return report;
  }

  private static void await(Process child) throws InterruptedException {
    assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
  }

  private Optional<byte[]> secret(long version) {
    FileSecretKeeper keeper = SecretKeeperChild.open(directory, DurableFiles.Steps.NONE);
    try (SecretBytes secret =
        keeper.get(SecretKeeperChild.ID, Optional.empty(), SecretKeeperChild.client(version))) {
      return Optional.of(secret.toByteArray());
    } catch (SecretKeeperException e) {
      assertThat(e.error()).isIn(SecretKeeperError.DICE_POLICY, SecretKeeperError.ENTRY_NOT_FOUND);
      return Optional.empty();
    }
  }

  /** Returns the version that the secret is sealed to. */
  private long check(Report report, byte[] first) {
    boolean applied = report.begun > report.confirmed && secret(report.confirmed).isEmpty();
    long now = applied ? report.begun : report.confirmed;
    assertThat(secret(now)).hasValue(first);
    assertThat(secret(now - 1)).isEmpty();
    assertThat(directory.resolve("keeper").toFile().list((dir, name) -> name.startsWith(".avf")))
        .isEmpty();
    return now;
  }

  private byte[] createFirst() {
    ClientIdentity client = SecretKeeperChild.client(1);
    try (SecretBytes secret =
        SecretKeeperChild.open(directory, DurableFiles.Steps.NONE)
            .getOrCreate(SecretKeeperChild.ID, SecretKeeperChild.policy(client), client)) {
      return secret.toByteArray();
    }
  }

  @Test
  void survivesAnEndBetweenAnyTwoOperations() throws Exception {
    byte[] first = createFirst();
    long version = 2;
    for (int operation = 1; operation <= OPERATIONS; operation++) {
      Process child = start(version, operation);
      Report report = new Report();
      report.confirmed = version - 1;
      read(child, report, Integer.MAX_VALUE);
      await(child);
      assertThat(child.exitValue()).isEqualTo(9);
      assertThat(report.lastLine).startsWith("ending before ");
      version = check(report, first) + 1;
    }
  }

  @Test
  void survivesKillsAtRandomMoments() throws Exception {
    byte[] first = createFirst();
    long seed = System.nanoTime();
    System.out.println("random kills with seed " + seed);
    Random random = new Random(seed);
    long version = 2;
    for (int i = 0; i < RANDOM_KILLS; i++) {
      Process child = start(version, 0);
      Report report = new Report();
      report.confirmed = version - 1;
      read(child, report, 1 + random.nextInt(20));
      TimeUnit.MICROSECONDS.sleep(random.nextInt(20_000));
      // Unlike Process.destroyForcibly, this leaves the output to be read to its end.
      child.toHandle().destroyForcibly();
      read(child, report, Integer.MAX_VALUE);
      await(child);
      version = check(report, first) + 1;
    }
  }

  @Test
  void leavesNothingOrAllOfTheFirstSecret() throws Exception {
    for (int operation = 1; operation <= OPERATIONS - 1; operation++) {
      Process child = start(1, operation);
      read(child, new Report(), Integer.MAX_VALUE);
      await(child);
      Optional<byte[]> left = secret(1);
      byte[] now = createFirst();
      left.ifPresent(secret -> assertThat(now).isEqualTo(secret));
      SecretKeeperChild.open(directory, DurableFiles.Steps.NONE).delete(SecretKeeperChild.ID);
    }
  }

  @Test
  void leavesNoDeviceSecretOrAWholeOne() throws Exception {
    Path file = directory.resolve("device-secret");
    for (int operation = 1; operation <= CREATE_OPERATIONS; operation++) {
      Files.deleteIfExists(file);
      Process child = start(0, operation);
      Report report = read(child, new Report(), Integer.MAX_VALUE);
      await(child);
      assertThat(report.lastLine).startsWith("ending before ");
      byte[] left = Files.exists(file) ? Files.readAllBytes(file) : null;
      assertThat(left != null).as(report.lastLine).isEqualTo(operation > LINK);
      FileDeviceSecret.openOrCreate(file);
      if (left != null) {
        assertThat(Files.readAllBytes(file)).isEqualTo(left);
      }
      try (var files = Files.list(directory)) {
        assertThat(files).as("no second name, no leftover").containsExactly(file);
      }
    }
  }

  @Test
  void reportsADirectoryThatCannotBeUsed() throws IOException {
    Files.write(directory.resolve("keeper"), new byte[0]);
    assertThatExceptionOfType(SecretKeeperException.class)
        .isThrownBy(() -> SecretKeeperChild.open(directory, DurableFiles.Steps.NONE));
  }
}
