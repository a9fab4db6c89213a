package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborArray;
import io.github.avf4j.attestation.cbor.CborException;
import io.github.avf4j.attestation.cbor.CborLimits;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.cose.InvalidSignatureException;
import io.github.avf4j.attestation.cose.KeyOpsRule;
import java.util.ArrayList;
import java.util.List;

/**
 * A DICE chain: a root key and certificates, each of which certifies the key of the next layer.
 *
 * <p>Parsing does not verify, so that any chain can be shown; {@link #verify} does. Immutable and
 * thread-safe.
 */
public final class DiceChain {
  /** The longest chain that is read, in bytes. */
  public static final int MAX_BYTES = 1 << 20;

  /** The greatest number of certificates. */
  public static final int MAX_CERTIFICATES = 256;

  private static final CborLimits LIMITS = CborLimits.DEFAULT.withMaxBytes(MAX_BYTES);

  private final CborArray source;
  private final CosePublicKey rootKey;
  private final List<DiceCertificate> certificates;

  private DiceChain(CborArray source, CosePublicKey rootKey, List<DiceCertificate> certificates) {
    this.source = source;
    this.rootKey = rootKey;
    this.certificates = certificates;
  }

  /** Decodes bytes that are exactly one chain; see {@link #parse}. */
  public static DiceChain decode(byte[] bytes) {
    return decode(ByteSlice.copyOf(bytes));
  }

  /** Decodes bytes that are exactly one chain; see {@link #parse}. */
  public static DiceChain decode(ByteSlice bytes) {
    try {
      return parse(CborReader.decode(bytes, LIMITS));
    } catch (DiceException e) {
      throw e;
    } catch (AttestationException e) {
      throw new DiceException(DiceRule.STRUCTURE, "DICE chain", e);
    }
  }

  /**
   * Takes a chain apart without verifying it.
   *
   * @throws DiceException if it is not an array of a root key and 1 to 256 certificates, at most 1
   *     MiB, each of the right structure
   */
  public static DiceChain parse(CborValue value) {
    CborArray array;
    CosePublicKey rootKey;
    try {
      array = value.asArray();
      if (array.size() < 2 || array.size() > MAX_CERTIFICATES + 1) {
        throw new DiceException(
            DiceRule.STRUCTURE,
            "DICE chain must have a root key and 1 to "
                + MAX_CERTIFICATES
                + " certificates but has "
                + array.size()
                + " items",
            value.position());
      }
      if (array.encoded().length() > MAX_BYTES) {
        throw new DiceException(
            DiceRule.STRUCTURE,
            "DICE chain must have at most " + MAX_BYTES + " bytes",
            value.position());
      }
    } catch (CborException e) {
      throw new DiceException(DiceRule.STRUCTURE, "DICE chain", e);
    }
    try {
      rootKey = CosePublicKey.parse(array.get(0), KeyOpsRule.INTEGER_OR_ARRAY);
    } catch (AttestationException e) {
      throw new DiceException(DiceRule.STRUCTURE, "root of the DICE chain", e);
    }
    List<DiceCertificate> certificates = new ArrayList<>(array.size() - 1);
    for (int i = 1; i < array.size(); i++) {
      try {
        certificates.add(DiceCertificate.parse(array.get(i)));
      } catch (AttestationException e) {
        throw DiceException.of(DiceRule.STRUCTURE, i - 1, e);
      }
    }
    return new DiceChain(array, rootKey, List.copyOf(certificates));
  }

  /** The key that signed the first certificate. */
  public CosePublicKey rootKey() {
    return rootKey;
  }

  /** The certificates, the first signed with the root key. */
  public List<DiceCertificate> certificates() {
    return certificates;
  }

  /** The last certificate. */
  public DiceCertificate leaf() {
    return certificates.get(certificates.size() - 1);
  }

  /** The root key and the certificates as received, for comparing chains item by item. */
  public List<CborValue> items() {
    return source.items();
  }

  /** The exact bytes of the chain. */
  public ByteSlice encoded() {
    return source.encoded();
  }

  /** Whether {@code key_ops} of the root key is an integer, which only android.13 allows. */
  public boolean hasIntegerRootKeyOps() {
    return DiceCertificate.hasIntegerKeyOps(source.get(0));
  }

  /** Whether this is one certificate for the key that signed it. */
  public boolean isDegenerate() {
    return certificates.size() == 1 && leaf().subjectPublicKey().equals(rootKey);
  }

  /**
   * Verifies that every certificate is signed with the key before it, and nothing else.
   *
   * @throws DiceException with {@link DiceRule#SIGNATURE} if one is not
   */
  public void verifySignatures() {
    CosePublicKey key = rootKey;
    for (int i = 0; i < certificates.size(); i++) {
      DiceCertificate certificate = certificates.get(i);
      try {
        certificate.message().verify(key);
      } catch (InvalidSignatureException e) {
        throw DiceException.of(DiceRule.SIGNATURE, i, e);
      } catch (AttestationException e) {
        throw DiceException.of(DiceRule.STRUCTURE, i, e);
      }
      key = certificate.subjectPublicKey();
    }
  }

  /**
   * Verifies signatures and rules as hwtrust does.
   *
   * @throws DiceException for the first rule that is broken
   */
  public VerifiedDiceChain verify(DiceChainRules rules) {
    return new DiceChainVerifier(this, rules).verify();
  }
}
