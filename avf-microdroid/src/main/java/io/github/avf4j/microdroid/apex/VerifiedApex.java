package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.util.List;
import java.util.Optional;

/**
 * What is known of an APEX that was verified. Immutable and thread-safe.
 *
 * @param manifest what it says of itself
 * @param publicKey the key that signed the payload; nothing says that it is trusted
 * @param fileSystem of the payload
 * @param payloadOffset where the payload stands in the file, in bytes
 * @param payloadSize its bytes, with what AVB put behind it
 * @param hashtree how to set dm-verity up; offsets are those in the payload
 * @param outer who signed the whole file, if somebody did
 * @param remarks what is allowed, but less than it could be
 */
public record VerifiedApex(
    ApexManifest manifest,
    AvbPublicKey publicKey,
    PayloadFileSystem fileSystem,
    long payloadOffset,
    long payloadSize,
    HashtreeDescriptor hashtree,
    Optional<VerifiedApk> outer,
    List<String> remarks) {
  /** Copies the list. */
  public VerifiedApex {
    remarks = List.copyOf(remarks);
  }

  /** The root of the payload's hash tree: what the DICE node of a payload is computed from. */
  public ByteSlice rootDigest() {
    return hashtree.rootDigest();
  }
}
