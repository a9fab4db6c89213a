package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.internal.Digests;

/** The configuration input of a layer. */
public sealed interface DiceConfig {
  /** What enters the secrets: 64 bytes. */
  ByteSlice input();

  /**
   * A configuration that is itself 64 bytes.
   *
   * @param value the 64 bytes
   */
  record Inline(ByteSlice value) implements DiceConfig {
    /** Checks the length. */
    public Inline {
      DiceInput.requireSize("inline configuration", value);
    }

    @Override
    public ByteSlice input() {
      return value;
    }
  }

  /**
   * A configuration of any length, of which the SHA-512 enters the secrets.
   *
   * @param value the bytes, a configuration descriptor where the Android profile applies
   */
  record Descriptor(ByteSlice value) implements DiceConfig {
    @Override
    public ByteSlice input() {
      return ByteSlice.takeOver(Digests.sha2(DiceInput.HASH_SIZE, value));
    }
  }
}
