package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.internal.Digests;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The six inputs of one layer: code, configuration, authority, mode and the hidden input, of which
 * certificates say nothing.
 *
 * <p>Hashes have 64 bytes, as everywhere in AVF. The hidden input never prints. Immutable and
 * thread-safe.
 */
public final class DiceInput {
  /** The length of hashes and of the hidden input, in bytes. */
  public static final int HASH_SIZE = 64;

  private final ByteSlice codeHash;
  private final @Nullable ByteSlice codeDescriptor;
  private final DiceConfig config;
  private final ByteSlice authorityHash;
  private final @Nullable ByteSlice authorityDescriptor;
  private final DiceMode mode;
  private final byte[] hidden;

  private DiceInput(Builder builder) {
    this.codeHash = Objects.requireNonNull(builder.codeHash, "codeHash must be set");
    this.codeDescriptor = builder.codeDescriptor;
    this.config = Objects.requireNonNull(builder.config, "config must be set");
    this.authorityHash = Objects.requireNonNull(builder.authorityHash, "authorityHash must be set");
    this.authorityDescriptor = builder.authorityDescriptor;
    this.mode = Objects.requireNonNull(builder.mode, "mode must be set");
    this.hidden = builder.hidden;
  }

  static void requireSize(String what, ByteSlice value) {
    if (value.length() != HASH_SIZE) {
      throw new IllegalArgumentException(
          what + " must have " + HASH_SIZE + " bytes but has " + value.length());
    }
  }

  /** A builder; the hidden input is 64 zeros until it is set. */
  public static Builder builder() {
    return new Builder();
  }

  /** The hash of the code. */
  public ByteSlice codeHash() {
    return codeHash;
  }

  /** More about the code, for the certificate alone. */
  public Optional<ByteSlice> codeDescriptor() {
    return Optional.ofNullable(codeDescriptor);
  }

  /** The configuration. */
  public DiceConfig config() {
    return config;
  }

  /** The hash of the authority. */
  public ByteSlice authorityHash() {
    return authorityHash;
  }

  /** More about the authority, for the certificate alone. */
  public Optional<ByteSlice> authorityDescriptor() {
    return Optional.ofNullable(authorityDescriptor);
  }

  /** The mode. */
  public DiceMode mode() {
    return mode;
  }

  byte[] attestSalt() {
    return Digests.sha512(
        codeHash.toByteArray(),
        config.input().toByteArray(),
        authorityHash.toByteArray(),
        new byte[] {mode.value()},
        hidden);
  }

  byte[] sealSalt() {
    return Digests.sha512(authorityHash.toByteArray(), new byte[] {mode.value()}, hidden);
  }

  /** What enters certificates; never the hidden input. */
  @Override
  public String toString() {
    return "DiceInput[code " + codeHash + ", authority " + authorityHash + ", mode " + mode + "]";
  }

  /** Collects inputs. Confined to one thread. */
  public static final class Builder {
    private @Nullable ByteSlice codeHash;
    private @Nullable ByteSlice codeDescriptor;
    private @Nullable DiceConfig config;
    private @Nullable ByteSlice authorityHash;
    private @Nullable ByteSlice authorityDescriptor;
    private @Nullable DiceMode mode;
    private byte[] hidden = new byte[HASH_SIZE];

    private Builder() {}

    /** Sets the hash of the code, 64 bytes. */
    public Builder codeHash(ByteSlice hash) {
      requireSize("code hash", hash);
      this.codeHash = hash;
      return this;
    }

    /** Sets more about the code. */
    public Builder codeDescriptor(ByteSlice descriptor) {
      this.codeDescriptor = descriptor;
      return this;
    }

    /** Sets the configuration. */
    public Builder config(DiceConfig config) {
      this.config = config;
      return this;
    }

    /** Sets the configuration to a descriptor of the Android profile. */
    public Builder config(ConfigDescriptor descriptor) {
      return config(new DiceConfig.Descriptor(descriptor.encoded()));
    }

    /** Sets the hash of the authority, 64 bytes. */
    public Builder authorityHash(ByteSlice hash) {
      requireSize("authority hash", hash);
      this.authorityHash = hash;
      return this;
    }

    /** Sets more about the authority. */
    public Builder authorityDescriptor(ByteSlice descriptor) {
      this.authorityDescriptor = descriptor;
      return this;
    }

    /** Sets the mode. */
    public Builder mode(DiceMode mode) {
      this.mode = mode;
      return this;
    }

    /** Sets the hidden input, 64 bytes, which are copied. */
    public Builder hidden(byte[] value) {
      if (value.length != HASH_SIZE) {
        throw new IllegalArgumentException(
            "hidden input must have " + HASH_SIZE + " bytes but has " + value.length);
      }
      this.hidden = value.clone();
      return this;
    }

    /** The inputs; throws {@link NullPointerException} if one was not set. */
    public DiceInput build() {
      return new DiceInput(this);
    }
  }
}
