package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.math.BigInteger;
import java.util.Set;

/**
 * What a relying party asks of a component that must be in the machine.
 *
 * @param name {@code apk:} and a package, or {@code apex:} and the name of a manifest
 * @param authorityHashes who may have signed it, for an APK the SHA-512 of a certificate; never
 *     empty
 * @param leastVersion the oldest version that is accepted
 * @param codeHashes the exact code that is accepted; empty for any
 */
public record ComponentRequirement(
    String name,
    Set<ByteSlice> authorityHashes,
    BigInteger leastVersion,
    Set<ByteSlice> codeHashes) {
  /** Copies the sets and checks that there is an authority. */
  public ComponentRequirement {
    authorityHashes = Set.copyOf(authorityHashes);
    codeHashes = Set.copyOf(codeHashes);
    if (name.isEmpty() || authorityHashes.isEmpty()) {
      throw new IllegalArgumentException(
          "requirement needs a name and at least one authority hash, but is for \"" + name + "\"");
    }
    if (leastVersion.signum() < 0) {
      throw new IllegalArgumentException(
          "least version must not be negative but is " + leastVersion);
    }
  }

  /** Asks for a signer, whatever the version and the code. */
  public static ComponentRequirement of(String name, ByteSlice authorityHash) {
    return new ComponentRequirement(name, Set.of(authorityHash), BigInteger.ZERO, Set.of());
  }

  /** The same requirement with a least version. */
  public ComponentRequirement withLeastVersion(long version) {
    return new ComponentRequirement(name, authorityHashes, BigInteger.valueOf(version), codeHashes);
  }

  /** The same requirement for these codes alone. */
  public ComponentRequirement withCodeHashes(Set<ByteSlice> hashes) {
    return new ComponentRequirement(name, authorityHashes, leastVersion, hashes);
  }
}
