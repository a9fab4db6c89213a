package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.internal.Digests;

/**
 * A kernel that client machines may boot, with its two initial ramdisks.
 *
 * @param kernel the digest of the kernel's hash descriptor, 32 bytes
 * @param initrdNormal of the ramdisk for normal machines, 32 bytes
 * @param initrdDebug of the ramdisk for debuggable machines, 32 bytes
 */
public record KernelDigests(ByteSlice kernel, ByteSlice initrdNormal, ByteSlice initrdDebug) {
  private static final int SIZE = 32;

  /** Checks the lengths. */
  public KernelDigests {
    if (kernel.length() != SIZE || initrdNormal.length() != SIZE || initrdDebug.length() != SIZE) {
      throw new IllegalArgumentException("digests of kernel and ramdisks must have 32 bytes");
    }
  }

  /** The code hash of a machine with the normal ramdisk. */
  public ByteSlice normalCodeHash() {
    return codeHash(initrdNormal);
  }

  /** The code hash of a machine with the debug ramdisk. */
  public ByteSlice debugCodeHash() {
    return codeHash(initrdDebug);
  }

  private ByteSlice codeHash(ByteSlice initrd) {
    return ByteSlice.takeOver(Digests.sha512(kernel.toByteArray(), initrd.toByteArray()));
  }
}
