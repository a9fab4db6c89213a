package io.github.avf4j.service.keeper;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.seal.AuthGraphDialect;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.attestation.seal.FileSecretKeeper;
import io.github.avf4j.attestation.seal.KeeperIdentity;
import io.github.avf4j.attestation.seal.SecretId;
import io.github.avf4j.attestation.seal.SecretKeeper;
import io.github.avf4j.attestation.seal.SecretKeeperSession;
import java.nio.file.Path;
import java.util.Set;

/**
 * The keeper of secrets of this host, with files in a folder that is for its owner alone.
 *
 * <p>It protects a machine from its own older code, and secrets from other users. It does not
 * protect from its owner, who has the device secret and may put back older files. Several processes
 * may use one folder. Thread-safe.
 */
public final class HostKeeper {
  /** The name of its folder in the data folder. */
  public static final String FOLDER = "secretkeeper";

  private final SecretKeeper keeper;
  private final KeeperIdentity identity;

  private HostKeeper(SecretKeeper keeper, KeeperIdentity identity) {
    this.keeper = keeper;
    this.identity = identity;
  }

  /**
   * Opens the keeper, which is made if there is none. Blocks on the file system.
   *
   * @throws io.github.avf4j.attestation.seal.DeviceSecretException if the secret cannot be had
   * @throws io.github.avf4j.attestation.seal.SecretKeeperException if the folder cannot be used
   */
  public static HostKeeper open(DeviceSecret device, Path folder) {
    return new HostKeeper(FileSecretKeeper.open(folder, device), KeeperIdentity.of(device));
  }

  /** Who it is, an encoded COSE_Key, for machines to check. */
  public ByteSlice publicKey() {
    return ByteSlice.takeOver(identity.publicKey().encode());
  }

  /**
   * Serves one run of a machine.
   *
   * @param instanceId of the machine, 64 bytes
   * @return what the guest talks to, which the caller closes
   */
  public GuestKeeper serve(ByteSlice instanceId) {
    SecretKeeper own =
        keeper.limitedTo(
            Set.of(SecretId.ofInstance(instanceId), SecretId.ofPayloadValue(instanceId)));
    return new GuestKeeper(new SecretKeeperSession(own, identity, AuthGraphDialect.DEFAULT));
  }

  /**
   * Forgets what a machine has kept, which nobody gets again.
   *
   * @param instanceId of the machine, 64 bytes
   * @throws io.github.avf4j.attestation.seal.SecretKeeperException if a file cannot be removed
   */
  public void forget(ByteSlice instanceId) {
    keeper.delete(SecretId.ofInstance(instanceId));
    keeper.delete(SecretId.ofPayloadValue(instanceId));
  }
}
