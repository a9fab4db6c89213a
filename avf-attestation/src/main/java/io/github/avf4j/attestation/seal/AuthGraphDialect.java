package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborWriter;

/**
 * The points of the key exchange and of the messages after it that no available source settles.
 *
 * <p>{@link #DEFAULT} holds the decisions of this project; where a device turns out to differ, it
 * gets another implementation and nothing else changes. Both sides must use the same. Stateless and
 * thread-safe.
 */
public interface AuthGraphDialect {
  /**
   * Version 1; sequence numbers as CBOR integers; chains in the salt as byte strings whose content
   * is the explicit-key chain; exchange keys of algorithm -25, and -27 accepted.
   */
  AuthGraphDialect DEFAULT = new AuthGraphDialect() {};

  /** The version of the protocol that a side announces. */
  default int version() {
    return 1;
  }

  /** The algorithm that is written into exchange keys. */
  default int exchangeAlgorithm() {
    return -25;
  }

  /** Whether exchange keys of an algorithm are accepted. */
  default boolean acceptsExchangeAlgorithm(long algorithm) {
    return algorithm == -25 || algorithm == -27;
  }

  /** The bytes whose SHA-256 is the salt of the session keys. */
  default byte[] saltInput(AuthGraphTranscript transcript) {
    return new CborWriter(2048)
        .array(7)
        .integer(transcript.sourceVersion())
        .bytes(transcript.sinkKey())
        .bytes(transcript.sourceKey())
        .bytes(transcript.sinkNonce())
        .bytes(transcript.sourceNonce())
        .bytes(transcript.sink().chain().encoded())
        .bytes(transcript.source().chain().encoded())
        .toByteArray();
  }

  /** The external AAD of the message with a sequence number, which counts from 0. */
  default ByteSlice externalAad(long sequenceNumber) {
    return ByteSlice.takeOver(new CborWriter(9).integer(sequenceNumber).toByteArray());
  }
}
