package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.StoreException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.seal.ClientIdentity;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.attestation.seal.FileSecretKeeper;
import io.github.avf4j.attestation.seal.SealingPolicy;
import io.github.avf4j.attestation.seal.SecretId;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.service.attest.SignedGuest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;

class DeletedSecretsTest extends ManagerTest {
  private static final ByteSlice INSTANCE = SignedGuest.hash("instance");

  private FileSecretKeeper keeper() {
    Path data = fixture.folder.resolve("data");
    return FileSecretKeeper.open(
        data.resolve("secretkeeper"), DeviceSecret.find(data.resolve("device-secret")));
  }

  private void keep(SecretId id) throws IOException {
    try (DiceHandover guest =
        SignedGuest.guest(
            SignedGuest.firmware(42),
            SignedGuest.image(fixture.folder.resolve("base"), 1),
            SignedGuest.payload(SignedGuest.SIGNER))) {
      keeper()
          .getOrCreate(
              id,
              SealingPolicy.forMicrodroid(guest.chain().orElseThrow()),
              ClientIdentity.ofLocal(guest.chain().orElseThrow()))
          .close();
    }
  }

  private void create(String name, ByteSlice id) throws IOException {
    manager.create(name, fixture.config().build());
    Files.write(fixture.store.resolve("vm").resolve(name).resolve("instance_id"), id.toByteArray());
  }

  @Test
  void deletingAMachineDeletesItsSecretsAndNoOthers() throws IOException {
    ByteSlice other = SignedGuest.hash("another");
    keep(SecretId.ofInstance(INSTANCE));
    keep(SecretId.ofPayloadValue(INSTANCE));
    keep(SecretId.ofInstance(other));
    create("a", INSTANCE);
    manager.delete("a");
    assertThat(keeper().delete(SecretId.ofInstance(INSTANCE))).isFalse();
    assertThat(keeper().delete(SecretId.ofPayloadValue(INSTANCE))).isFalse();
    assertThat(keeper().delete(SecretId.ofInstance(other))).isTrue();
  }

  @Test
  void aMachineThatIsOnlyOnDiskIsForgottenToo() throws IOException {
    keep(SecretId.ofInstance(INSTANCE));
    create("a", INSTANCE);
    manager.close();
    manager = fixture.open();
    manager.delete("a");
    assertThat(keeper().delete(SecretId.ofInstance(INSTANCE))).isFalse();
  }

  @Test
  void deletingAMachineMakesNoKeeperAndNoDeviceSecret() throws IOException {
    create("a", INSTANCE);
    manager.delete("a");
    assertThat(fixture.folder.resolve("data")).doesNotExist();
  }

  @Test
  void aDamagedIdKeepsNobodyFromDeleting() throws IOException {
    keep(SecretId.ofInstance(INSTANCE));
    create("a", ByteSlice.takeOver(new byte[3]));
    manager.delete("a");
    assertThat(manager.names()).isEmpty();
  }

  @Test
  void aKeeperThatCannotBeOpenedIsSaidAndKeepsNobodyFromDeleting() throws IOException {
    Path data = Files.createDirectories(fixture.folder.resolve("data"));
    Files.createDirectory(data.resolve("secretkeeper"));
    Files.setPosixFilePermissions(
        data.resolve("secretkeeper"), PosixFilePermissions.fromString("rwxrwxrwx"));
    MicrodroidHost host = new MicrodroidHost(new CacheFolder(fixture.folder.resolve("c")), data);
    assertThatThrownBy(host::keeper)
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("updatable machines need it");
    create("a", INSTANCE);
    manager.delete("a");
    assertThat(manager.names()).isEmpty();
  }
}
