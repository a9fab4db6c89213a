package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.SecretBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
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
}
