package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.internal.Digests;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** The DICE inputs of a guest, from what was verified. Thread-safe. */
public final class GuestDiceInput {
  /** The key of the instance hash in the configuration descriptor. */
  public static final long INSTANCE_HASH = -71003;

  private static final String DEFAULT_NAME = "vm_entry";
  private static final int DIGEST = 32;
  private static final int SALT = 64;

  private GuestDiceInput() {}

  /** The hash by which an instance id shows: SHA-512 over {@code InstanceId:} and the id. */
  public static ByteSlice instanceHash(ByteSlice instanceId) {
    byte[] label = "InstanceId:".getBytes(StandardCharsets.US_ASCII);
    return ByteSlice.takeOver(Digests.sha512(label, instanceId.toByteArray()));
  }

  /**
   * The inputs.
   *
   * @param payload what was verified
   * @param instanceHash 64 bytes, or empty if there is no instance id
   * @param salt 64 bytes, from the rollback decision
   * @param deferred whether the guest protects itself against rollback
   */
  public static DiceInput of(
      VerifiedPayload payload, Optional<ByteSlice> instanceHash, ByteSlice salt, boolean deferred) {
    if (salt.length() != SALT) {
      throw new IllegalArgumentException("salt must have 64 bytes but has " + salt.length());
    }
    boolean marker = isRkpVm(payload);
    ConfigDescriptor.Builder config =
        ConfigDescriptor.builder()
            .componentName(payload.name().orElse(DEFAULT_NAME))
            .securityVersion(payload.rollbackIndex());
    if (marker) {
      config.rkpVmMarker();
    }
    instanceHash.ifPresent(hash -> config.put(INSTANCE_HASH, CborValue.of(hash)));
    byte[] preimage = new byte[1 + SALT + 1];
    preimage[0] = (byte) (marker ? 1 : 0);
    salt.copyTo(preimage, 1);
    preimage[1 + SALT] = (byte) (deferred ? 1 : 0);
    byte[] hidden = Digests.sha512(preimage);
    Arrays.fill(preimage, (byte) 0);
    try {
      return DiceInput.builder()
          .codeHash(codeHash(payload))
          .authorityHash(payload.publicKey().sha512())
          .mode(payload.debuggable() ? DiceMode.DEBUG : DiceMode.NORMAL)
          .config(config.build())
          .hidden(hidden)
          .build();
    } finally {
      Arrays.fill(hidden, (byte) 0);
    }
  }

  /** Whether the guest's certificate carries the marker of the RKP VM. */
  public static boolean isRkpVm(VerifiedPayload payload) {
    return payload.has(Capability.REMOTE_ATTEST) || payload.has(Capability.TRUSTY_SECURITY_VM);
  }

  private static ByteSlice codeHash(VerifiedPayload payload) {
    byte[] initrd = payload.initrdDigest().map(ByteSlice::toByteArray).orElse(new byte[DIGEST]);
    return ByteSlice.takeOver(Digests.sha512(payload.kernelDigest().toByteArray(), initrd));
  }
}
