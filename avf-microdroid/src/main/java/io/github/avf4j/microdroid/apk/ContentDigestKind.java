package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.verity.VerityHash;

/** How the content of an APK is digested for its signature; the stronger, the later. */
enum ContentDigestKind {
  /** SHA-256 of the SHA-256 digests of chunks of 1 MiB. */
  CHUNKED_SHA256(VerityHash.SHA256, 32),
  /** The root hash of an fs-verity tree, and the length of what it covers. */
  VERITY_SHA256(VerityHash.SHA256, 40),
  /** SHA-512 of the SHA-512 digests of chunks of 1 MiB. */
  CHUNKED_SHA512(VerityHash.SHA512, 64);

  private final VerityHash hash;
  private final int size;

  ContentDigestKind(VerityHash hash, int size) {
    this.hash = hash;
    this.size = size;
  }

  VerityHash hash() {
    return hash;
  }

  /** The length in bytes. */
  int size() {
    return size;
  }
}
