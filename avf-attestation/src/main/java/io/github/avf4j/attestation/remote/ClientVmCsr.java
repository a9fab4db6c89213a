package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CoseException;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.cose.CoseSign;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.VerifiedDiceChain;
import java.util.List;

/**
 * A client machine's request to certify a key: its chain, the key, a challenge, and signatures by
 * the chain's leaf key and by the key itself.
 *
 * <p>The layout is that of the code of AOSP; the CDDL published with it differs. Immutable and
 * thread-safe.
 */
public final class ClientVmCsr {
  private static final int LEAF_SIGNATURE = 0;
  private static final int KEY_SIGNATURE = 1;

  private final ByteSlice chain;
  private final CoseSign signed;
  private final CosePublicKey publicKey;
  private final ByteSlice challenge;

  private ClientVmCsr(
      ByteSlice chain, CoseSign signed, CosePublicKey publicKey, ByteSlice challenge) {
    this.chain = chain;
    this.signed = signed;
    this.publicKey = publicKey;
    this.challenge = challenge;
  }

  /**
   * Takes a request apart without verifying it.
   *
   * @throws ServiceVmException if it is malformed, with the error that the reference gives
   */
  public static ClientVmCsr decode(ByteSlice bytes) {
    try {
      List<CborValue> items = CborReader.decode(bytes).asArray(2);
      CborValue message = CborReader.decode(items.get(1).asBytes());
      if (message.asArray(4).get(2).isNull()) {
        throw new ServiceVmException(
            RequestProcessingError.INTERNAL_ERROR, "the signed part of the request has no payload");
      }
      CoseSign signed = CoseSign.parse(message);
      List<CborValue> payload = CborReader.decode(signed.payload()).asArray(2);
      CosePublicKey key = CosePublicKey.decode(payload.get(0).asBytes());
      ByteSlice challenge = payload.get(1).asBytes();
      if (key.algorithm() != CoseAlgorithm.ES256 || signed.signatureCount() != 2) {
        throw new ServiceVmException(
            RequestProcessingError.COSET_ERROR,
            "the request must have 2 signatures and a key of P-256");
      }
      if (challenge.length() > AttestationExtension.MAX_CHALLENGE) {
        throw new ServiceVmException(
            RequestProcessingError.INTERNAL_ERROR,
            "challenge must have at most 64 bytes but has " + challenge.length());
      }
      return new ClientVmCsr(items.get(0).asBytes(), signed, key, challenge);
    } catch (ServiceVmException e) {
      throw e;
    } catch (CoseException e) {
      throw new ServiceVmException(RequestProcessingError.COSET_ERROR, "request", e);
    } catch (AttestationException e) {
      throw new ServiceVmException(RequestProcessingError.CBOR_VALUE_ERROR, "request", e);
    }
  }

  /**
   * Makes a request.
   *
   * @param chain of the client
   * @param leafKey the private key of the chain's last layer
   * @param attestationKey the key to certify, of P-256
   * @param challenge of the relying party, 0 to 64 bytes
   */
  public static ByteSlice make(
      DiceChain chain, CosePrivateKey leafKey, CosePrivateKey attestationKey, ByteSlice challenge) {
    if (challenge.length() > AttestationExtension.MAX_CHALLENGE) {
      throw new IllegalArgumentException(
          "challenge must have at most 64 bytes but has " + challenge.length());
    }
    byte[] payload =
        new CborWriter(192)
            .array(2)
            .bytes(attestationKey.publicKey().encodeWithoutKeyOps())
            .bytes(challenge)
            .toByteArray();
    byte[] signed =
        CoseSign.sign(
            ByteSlice.takeOver(payload), ByteSlice.EMPTY, List.of(leafKey, attestationKey));
    return ByteSlice.takeOver(
        new CborWriter(chain.encoded().length() + signed.length + 16)
            .array(2)
            .bytes(chain.encoded())
            .bytes(signed)
            .toByteArray());
  }

  /** Makes a fresh key of P-256 to be certified. The caller closes it. */
  public static CosePrivateKey generateAttestationKey() {
    return EcDer.generate();
  }

  /** A private key as a payload gets it: an ECPrivateKey (RFC 5915). The caller closes it. */
  public static SecretBytes toEcPrivateKey(CosePrivateKey key) {
    return EcDer.ecPrivateKey(key);
  }

  /** The chain's bytes, not verified. */
  public ByteSlice chain() {
    return chain;
  }

  /** The key to certify. */
  public CosePublicKey publicKey() {
    return publicKey;
  }

  /** The challenge. */
  public ByteSlice challenge() {
    return challenge;
  }

  /**
   * Verifies both signatures.
   *
   * @param leafKey the key of the chain's last layer
   * @throws AttestationException if one does not verify
   */
  void verifySignatures(CosePublicKey leafKey) {
    signed.verify(LEAF_SIGNATURE, leafKey, ByteSlice.EMPTY);
    signed.verify(KEY_SIGNATURE, publicKey, ByteSlice.EMPTY);
  }

  /**
   * Verifies the request for itself: its chain by the rules of hwtrust, then both signatures. What
   * the chain describes is for the caller to judge, and the challenge to compare.
   *
   * @throws AttestationException for the first rule that is broken
   */
  public VerifiedDiceChain verify(DiceChainRules rules) {
    VerifiedDiceChain verified = DiceChain.decode(chain).verify(rules);
    verifySignatures(verified.leafKey());
    return verified;
  }
}
