package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.internal.Digests;

/**
 * The name of a secret in a keeper: 64 bytes, not secret.
 *
 * @param bytes the 64 bytes
 */
public record SecretId(ByteSlice bytes) {
  /** The length, in bytes. */
  public static final int SIZE = 64;

  /** Checks the length. */
  public SecretId {
    if (bytes.length() != SIZE) {
      throw new SealException(
          "id of a secret must have " + SIZE + " bytes but has " + bytes.length(), bytes.offset());
    }
  }

  /** The id under which a machine keeps the secret of version 2: its instance id, 64 bytes. */
  public static SecretId ofInstance(ByteSlice instanceId) {
    return new SecretId(instanceId);
  }

  /** The id of the value that a payload may store: the SHA-512 of the instance id. */
  public static SecretId ofPayloadValue(ByteSlice instanceId) {
    return new SecretId(ByteSlice.takeOver(Digests.sha2(SIZE, instanceId)));
  }
}
