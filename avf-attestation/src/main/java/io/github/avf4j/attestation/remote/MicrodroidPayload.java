package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.internal.Digests;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * The payload's DICE layer as Microdroid Manager makes it: main APK, extra APKs, then APEXes.
 *
 * <p>Immutable and thread-safe.
 */
public final class MicrodroidPayload {
  /** The component name of the layer. */
  public static final String COMPONENT_NAME = "Microdroid payload";

  private static final long CONFIG_PATH = -71000;
  private static final long PAYLOAD = -71001;

  private final ConfigDescriptor config;
  private final ByteSlice codeHash;
  private final ByteSlice authorityHash;
  private final List<VmComponent> components;

  private MicrodroidPayload(Builder builder) {
    this.components = List.copyOf(builder.components);
    this.codeHash = ByteSlice.takeOver(builder.code.digest());
    this.authorityHash = ByteSlice.takeOver(builder.authority.digest());
    ConfigDescriptor.Builder descriptor = ConfigDescriptor.builder().componentName(COMPONENT_NAME);
    descriptor.put(builder.startKey, builder.startValue);
    if (!components.isEmpty()) {
      descriptor.put(VmComponent.SUBCOMPONENTS, VmComponent.list(components));
    }
    if (builder.revision.payloadHasSecurityVersion()) {
      descriptor.securityVersion(0);
    }
    this.config = descriptor.build();
  }

  /** A payload that is started from a configuration file inside the APK, by its path. */
  public static Builder ofConfigPath(AospRevision revision, String path) {
    return new Builder(revision, CONFIG_PATH, CborValue.of(path));
  }

  /** A payload that is started from a native library of the APK, by its name. */
  public static Builder ofBinaryName(AospRevision revision, String name) {
    return new Builder(revision, PAYLOAD, CborMap.builder().put(1, CborValue.of(name)).build());
  }

  /** The configuration descriptor. */
  public ConfigDescriptor config() {
    return config;
  }

  /** The APKs and APEXes. */
  public List<VmComponent> components() {
    return components;
  }

  /**
   * The inputs of the layer.
   *
   * @param mode debug if the machine is debuggable, else normal
   * @param hidden 64 bytes: zeros for a protected machine, the SHA-512 of the instance id for
   *     another
   */
  public DiceInput input(DiceMode mode, byte[] hidden) {
    return DiceInput.builder()
        .codeHash(codeHash)
        .config(config)
        .authorityHash(authorityHash)
        .mode(mode)
        .hidden(hidden)
        .build();
  }

  /** Collects parts in the order in which they are hashed. Confined to one thread. */
  public static final class Builder {
    private final AospRevision revision;
    private final long startKey;
    private final CborValue startValue;
    private final List<VmComponent> components = new ArrayList<>();
    private final MessageDigest code = Digests.sha512();
    private final MessageDigest authority = Digests.sha512();

    private Builder(AospRevision revision, long startKey, CborValue startValue) {
      this.revision = revision;
      this.startKey = startKey;
      this.startValue = startValue;
    }

    /**
     * Adds an APK.
     *
     * @param packageName of its manifest
     * @param version its version code, or its rollback index where it has one
     * @param rootHash of its signature of scheme v4, 32 bytes
     * @param certHash the SHA-512 of the signer's certificate, 64 bytes
     */
    public Builder apk(String packageName, long version, ByteSlice rootHash, ByteSlice certHash) {
      code.update(rootHash.asByteBuffer());
      authority.update(certHash.asByteBuffer());
      components.add(new VmComponent("apk:" + packageName, unsigned(version), rootHash, certHash));
      return this;
    }

    /**
     * Adds an APEX. The layer's authority hash takes the key itself, the list its hash.
     *
     * @param manifestName of its manifest
     * @param version of its manifest
     * @param rootDigest of its first hash tree
     * @param publicKey the blob of the key that its vbmeta is signed with
     */
    public Builder apex(
        String manifestName, long version, ByteSlice rootDigest, ByteSlice publicKey) {
      code.update(rootDigest.asByteBuffer());
      authority.update(publicKey.asByteBuffer());
      ByteSlice keyHash = ByteSlice.takeOver(Digests.sha2(64, publicKey));
      components.add(
          new VmComponent("apex:" + manifestName, unsigned(version), rootDigest, keyHash));
      return this;
    }

    private static BigInteger unsigned(long bits) {
      return new BigInteger(Long.toUnsignedString(bits));
    }

    /** The payload. */
    public MicrodroidPayload build() {
      return new MicrodroidPayload(this);
    }
  }
}
