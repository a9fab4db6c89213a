package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the firmware knows of a kernel and a ramdisk after it verified them. Immutable.
 *
 * @param debuggable whether the ramdisk is the one for debugging
 * @param kernelDigest SHA-256, 32 bytes
 * @param initrdDigest SHA-256, 32 bytes, where there is a ramdisk
 * @param publicKey the key that signed, which is one of the trusted ones
 * @param keyIndex which of the trusted keys it is; 0 is the firmware's own
 * @param capabilities what the kernel says it can do
 * @param rollbackIndex of the kernel's vbmeta image, unsigned
 * @param pageSize the guest's page size in bytes, if it says one
 * @param name the name of the VM, if it says one
 * @param vbmetaDigest SHA-256 of the vbmeta image
 */
public record VerifiedPayload(
    boolean debuggable,
    ByteSlice kernelDigest,
    Optional<ByteSlice> initrdDigest,
    AvbPublicKey publicKey,
    int keyIndex,
    Set<Capability> capabilities,
    long rollbackIndex,
    OptionalInt pageSize,
    Optional<String> name,
    ByteSlice vbmetaDigest) {
  /** Copies the set. */
  public VerifiedPayload {
    capabilities = Set.copyOf(capabilities);
  }

  /** Whether it can do this. */
  public boolean has(Capability capability) {
    return capabilities.contains(capability);
  }
}
