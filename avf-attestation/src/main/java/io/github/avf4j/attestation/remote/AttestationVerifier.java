package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.time.Clock;
import java.util.List;

/**
 * The relying party: decides by a policy whether certificates attest a virtual machine.
 *
 * <p>Every check is made and reported, also after one has failed, as far as it has something to
 * look at. The caller issues a fresh challenge for each attestation and uses it once, and then asks
 * the machine to sign with the attested key ({@link AttestationResult#verifySignature}): a
 * certificate alone can be shown by anybody. Immutable and thread-safe; nothing blocks.
 */
public final class AttestationVerifier {
  private final AttestationPolicy policy;
  private final Clock clock;

  /** Makes a verifier that takes the time from the system. */
  public AttestationVerifier(AttestationPolicy policy) {
    this(policy, Clock.systemUTC());
  }

  /** Makes a verifier that takes the time from a clock. */
  public AttestationVerifier(AttestationPolicy policy, Clock clock) {
    this.policy = policy;
    this.clock = clock;
  }

  /**
   * Verifies certificates. Malformed ones are a failed check, not an exception.
   *
   * @param certificates in DER, the leaf first; the root may be missing
   * @param challenge the one that was issued
   */
  public AttestationResult verify(List<ByteSlice> certificates, ByteSlice challenge) {
    return new AttestationVerification(policy, clock.instant(), challenge).run(certificates);
  }

  /**
   * Verifies a file of certificates, in PEM or in DER one after the other, the leaf first.
   *
   * @throws RemoteAttestationException if the file holds no certificates
   */
  public AttestationResult verifyFile(byte[] file, ByteSlice challenge) {
    return verify(CertificateFiles.read(file), challenge);
  }
}
