package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.SecretBytes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSecretKeeperTest {
  private static final SampleDevice DEVICE = new SampleDevice("device");
  private static final SecretId ID = SecretId.ofInstance(SampleDevice.hash("instance"));

  @TempDir Path directory;
  private FileSecretKeeper keeper;

  @BeforeEach
  void open() {
    keeper = reopen();
  }

  private FileSecretKeeper reopen() {
    DeviceSecret secret = FileDeviceSecret.openOrCreate(directory.resolve("device-secret"));
    return FileSecretKeeper.open(directory.resolve("keeper"), secret);
  }

  private static ClientIdentity client(long apkVersion) {
    return ClientIdentity.ofLocal(SampleDevice.chain(DEVICE.clientVm("a", 1, apkVersion)));
  }

  private static SealingPolicy policy(long apkVersion) {
    return SealingPolicy.forChain(client(apkVersion).chain(), PolicyRule.MICRODROID);
  }

  private static SecretBytes secret(int fill) {
    byte[] bytes = new byte[32];
    java.util.Arrays.fill(bytes, (byte) fill);
    return SecretBytes.takeOver(bytes);
  }

  private static SecretKeeperError refusal(ThrowingCallable call) {
    return catchThrowableOfType(SecretKeeperException.class, call).error();
  }

  @Test
  void givesBackWhatItStored() {
    keeper.store(ID, secret(7), policy(3), client(3));
    assertThat(reopen().get(ID, Optional.empty(), client(3))).isEqualTo(secret(7));
    assertThat(keeper.get(ID, Optional.empty(), client(4))).isEqualTo(secret(7));
  }

  @Test
  void refusesOlderCodeOnceNewerCodeHasBooted() {
    try (SecretBytes created = keeper.getOrCreate(ID, policy(3), client(3));
        SecretBytes updated = keeper.getOrCreate(ID, policy(4), client(4))) {
      assertThat(updated).isEqualTo(created);
    }
    assertThat(refusal(() -> keeper.getOrCreate(ID, policy(3), client(3))))
        .isEqualTo(SecretKeeperError.DICE_POLICY);
    assertThat(refusal(() -> reopen().get(ID, Optional.empty(), client(3))))
        .isEqualTo(SecretKeeperError.DICE_POLICY);
  }

  @Test
  void refusesToReplaceASecretOfNewerCode() {
    keeper.store(ID, secret(7), policy(4), client(4));
    assertThat(refusal(() -> keeper.store(ID, secret(8), policy(3), client(3))))
        .isEqualTo(SecretKeeperError.DICE_POLICY);
    assertThat(keeper.get(ID, Optional.empty(), client(4))).isEqualTo(secret(7));
  }

  @Test
  void refusesAPolicyThatItsClientDoesNotMatch() {
    assertThat(refusal(() -> keeper.store(ID, secret(7), policy(4), client(3))))
        .isEqualTo(SecretKeeperError.DICE_POLICY);
    keeper.store(ID, secret(7), policy(3), client(3));
    assertThat(refusal(() -> keeper.get(ID, Optional.of(policy(4)), client(3))))
        .isEqualTo(SecretKeeperError.DICE_POLICY);
    assertThat(keeper.get(ID, Optional.empty(), client(3))).isEqualTo(secret(7));
  }

  @Test
  void reportsAMissingSecret() {
    assertThat(refusal(() -> keeper.get(ID, Optional.empty(), client(3))))
        .isEqualTo(SecretKeeperError.ENTRY_NOT_FOUND);
  }

  @Test
  void forgetsASecretForTheHost() {
    keeper.store(ID, secret(7), policy(3), client(3));
    assertThat(keeper.delete(ID)).isTrue();
    assertThat(keeper.delete(ID)).isFalse();
    assertThat(refusal(() -> keeper.get(ID, Optional.empty(), client(3))))
        .isEqualTo(SecretKeeperError.ENTRY_NOT_FOUND);
  }

  @Test
  void findsNothingWithAnotherDeviceSecret() throws IOException {
    keeper.store(ID, secret(7), policy(3), client(3));
    Files.delete(directory.resolve("device-secret"));
    assertThat(refusal(() -> reopen().get(ID, Optional.empty(), client(3))))
        .isEqualTo(SecretKeeperError.ENTRY_NOT_FOUND);
  }

  @Test
  void neverTakesADamagedEntryForAMissingOne() throws IOException {
    keeper.store(ID, secret(7), policy(3), client(3));
    Path entry = entry();
    byte[] content = Files.readAllBytes(entry);
    for (int i = 0; i < content.length; i += 13) {
      byte[] changed = content.clone();
      changed[i] ^= 1;
      Files.write(entry, changed);
      assertThat(refusal(() -> keeper.getOrCreate(ID, policy(3), client(3))))
          .isEqualTo(SecretKeeperError.UNEXPECTED_SERVER_ERROR);
    }
    Files.write(entry, new byte[0]);
    assertThat(refusal(() -> keeper.getOrCreate(ID, policy(3), client(3))))
        .isEqualTo(SecretKeeperError.UNEXPECTED_SERVER_ERROR);
  }

  private Path entry() throws IOException {
    try (var files = Files.list(directory.resolve("keeper"))) {
      return files.filter(file -> file.toString().endsWith(".secret")).findFirst().orElseThrow();
    }
  }

  @Test
  void removesWhatAnEndedProcessLeftBehind() throws IOException {
    Path leftover = directory.resolve("keeper/.avf-tmp-1");
    Files.write(leftover, new byte[1]);
    reopen();
    assertThat(leftover).doesNotExist();
  }

  @Test
  void holdsNoSecretInTheOpen() throws IOException {
    keeper.store(ID, secret(7), policy(3), client(3));
    assertThat(
            new String(Files.readAllBytes(entry()), java.nio.charset.StandardCharsets.ISO_8859_1))
        .doesNotContain("\7".repeat(8));
  }

  /** A full disk, at each operation: what a caller is told is what a later caller finds. */
  @Test
  void keepsTheOldStateOrTheNewOneWhereTheDiskFails() throws IOException {
    keeper.store(ID, secret(7), policy(1), client(1));
    long version = 1;
    List<String> failed = new ArrayList<>();
    for (int operation = 1; operation <= 8; operation++) {
      AtomicInteger count = new AtomicInteger();
      int last = operation;
      FileSecretKeeper failing =
          FileSecretKeeper.open(
              directory.resolve("keeper"),
              FileDeviceSecret.openOrCreate(directory.resolve("device-secret")),
              name -> {
                if (count.incrementAndGet() == last) {
                  failed.add(name);
                  throw new UncheckedIOException(new IOException("no space left"));
                }
              });
      long next = version + 1;
      assertThatThrownBy(() -> failing.get(ID, Optional.of(policy(next)), client(next)).close())
          .isInstanceOf(UncheckedIOException.class);
      boolean applied = List.of("fsync directory", "return").contains(failed.get(last - 1));
      if (applied) {
        assertThat(refusal(() -> keeper.get(ID, Optional.empty(), client(next - 1))))
            .isEqualTo(SecretKeeperError.DICE_POLICY);
        version = next;
      }
      assertThat(keeper.get(ID, Optional.empty(), client(version))).isEqualTo(secret(7));
      try (var files = Files.list(directory.resolve("keeper"))) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .as("the lock and the entry")
            .hasSize(2)
            .noneMatch(name -> name.startsWith(".avf"));
      }
    }
    assertThat(failed)
        .containsExactly(
            "create",
            "write the first half",
            "write the second half",
            "fsync",
            "close",
            "rename",
            "fsync directory",
            "return");
  }

  @Test
  void givesOneSecretToAllWhoCreateItAtOnce() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try {
      Set<String> secrets = new HashSet<>();
      Callable<byte[]> create = () -> reopen().getOrCreate(ID, policy(3), client(3)).toByteArray();
      for (var one : threads.invokeAll(Collections.nCopies(16, create))) {
        secrets.add(HexFormat.of().formatHex(one.get()));
      }
      assertThat(secrets).hasSize(1);
    } finally {
      threads.shutdownNow();
    }
  }

  /** The limit that the class states: an old file is as good as it was. */
  @Test
  void cannotNoticeThatAFileWasPutBackButGivesNoOtherSecret() throws IOException {
    keeper.store(ID, secret(7), policy(3), client(3));
    byte[] old = Files.readAllBytes(entry());
    keeper.get(ID, Optional.of(policy(4)), client(4)).close();
    byte[] now = Files.readAllBytes(entry());
    Files.write(entry(), old);
    assertThat(keeper.get(ID, Optional.empty(), client(3))).isEqualTo(secret(7));
    Files.write(entry(), now);
    assertThat(refusal(() -> keeper.get(ID, Optional.empty(), client(3))))
        .isEqualTo(SecretKeeperError.DICE_POLICY);
  }

  @Test
  void refusesTheFileOfAnotherSecret() throws IOException {
    SecretId other = SecretId.ofInstance(SampleDevice.hash("other"));
    keeper.store(ID, secret(7), policy(3), client(3));
    byte[] content = Files.readAllBytes(entry());
    keeper.delete(ID);
    keeper.store(other, secret(8), policy(3), client(3));
    Files.write(entry(), content);
    assertThat(refusal(() -> keeper.get(other, Optional.empty(), client(3))))
        .isEqualTo(SecretKeeperError.UNEXPECTED_SERVER_ERROR);
  }

  @Test
  void refusesADirectoryThatOthersMayWriteTo() throws IOException {
    Files.setPosixFilePermissions(
        directory.resolve("keeper"), PosixFilePermissions.fromString("rwxrwxr-x"));
    assertThatExceptionOfType(SecretKeeperException.class)
        .isThrownBy(this::reopen)
        .withMessageContaining("chmod go-w");
  }

  @Test
  void createsDirectoryAndFilesForItsOwnerAlone() throws IOException {
    keeper.store(ID, secret(7), policy(3), client(3));
    assertThat(permissions(directory.resolve("keeper"))).isEqualTo("rwx------");
    assertThat(permissions(entry())).isEqualTo("rw-------");
  }

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void tellsGuestsNothingAboutTheHost() throws IOException {
    keeper.store(ID, secret(7), policy(3), client(3));
    Path entry = entry();
    Files.delete(entry);
    Files.createDirectory(entry);
    try (SecretBytes response =
        SecretKeeperProtocol.process(
            keeper, client(3), SecretKeeperProtocol.getRequest(ID, Optional.empty()))) {
      assertThat(new String(response.toByteArray(), java.nio.charset.StandardCharsets.UTF_8))
          .doesNotContain(directory.toString())
          .contains("the keeper failed");
    }
  }
}
