package io.github.avf4j.service.attest;

import io.github.avf4j.attestation.ByteSlice;
import java.util.List;

/** What a guest gets that asked for a key to be certified. Immutable and thread-safe. */
public sealed interface AttestationAnswer {
  /**
   * The key is certified.
   *
   * @param certificates in DER, the leaf first and the root last
   */
  record Attested(List<ByteSlice> certificates) implements AttestationAnswer {
    /** Copies the list. */
    public Attested {
      certificates = List.copyOf(certificates);
    }
  }

  /**
   * Nobody certifies keys for this machine, now or later.
   *
   * @param reason for people, without anything that the guest should not know of its host
   */
  record Unsupported(String reason) implements AttestationAnswer {}

  /**
   * The request is refused, or the host cannot certify at the moment.
   *
   * @param reason for people, without anything that the guest should not know of its host
   */
  record Failed(String reason) implements AttestationAnswer {}
}
