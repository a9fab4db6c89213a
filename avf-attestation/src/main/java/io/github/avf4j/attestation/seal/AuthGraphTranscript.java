package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.ByteSlice;

/**
 * What both sides of an exchange have seen, none of it secret.
 *
 * @param sourceVersion the version that the source announced
 * @param sinkKey the sink's exchange key, an encoded COSE_Key
 * @param sourceKey the source's exchange key, an encoded COSE_Key
 * @param sinkNonce 16 bytes of the sink
 * @param sourceNonce 16 bytes of the source
 * @param sink who the sink is
 * @param source who the source is
 */
public record AuthGraphTranscript(
    int sourceVersion,
    ByteSlice sinkKey,
    ByteSlice sourceKey,
    ByteSlice sinkNonce,
    ByteSlice sourceNonce,
    ClientIdentity sink,
    ClientIdentity source) {
  /** The length of a nonce, in bytes. */
  public static final int NONCE_SIZE = 16;

  /** Checks the lengths of the nonces. */
  public AuthGraphTranscript {
    requireNonce(sinkNonce);
    requireNonce(sourceNonce);
  }

  private static void requireNonce(ByteSlice nonce) {
    if (nonce.length() != NONCE_SIZE) {
      throw new SealException(
          "nonce must have " + NONCE_SIZE + " bytes but has " + nonce.length(), -1);
    }
  }
}
