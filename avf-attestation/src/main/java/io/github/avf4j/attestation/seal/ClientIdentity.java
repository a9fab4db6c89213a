package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.ExplicitKeyChain;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Who one side of an exchange is: an explicit-key chain that is consistent, or a root key alone.
 *
 * <p>Consistent means that every certificate is signed with the key before it, names the subject
 * before it as issuer, and that no subject or key occurs twice. Whether the other side holds the
 * key of the last layer is for the exchange to show; {@link #ofLocal} is for a host that plays both
 * sides and knows. Immutable and thread-safe.
 */
public final class ClientIdentity {
  private static final int VERSION = 1;

  private final ExplicitKeyChain chain;
  private final CosePublicKey verificationKey;

  private ClientIdentity(ExplicitKeyChain chain, CosePublicKey verificationKey) {
    this.chain = chain;
    this.verificationKey = verificationKey;
  }

  /**
   * The identity of a machine whose chain the caller vouches for.
   *
   * @throws AttestationException if the chain is not consistent
   */
  public static ClientIdentity ofLocal(DiceChain chain) {
    return of(ExplicitKeyChain.of(chain));
  }

  /** The identity of a side that has a key and no chain. */
  public static ClientIdentity ofRootKey(CosePublicKey key) {
    CborWriter out = new CborWriter(128);
    out.array(2).integer(VERSION);
    out.bytes(ExplicitKeyChain.canonicalKey(CborReader.decode(key.encode())));
    return of(ExplicitKeyChain.decode(ByteSlice.takeOver(out.toByteArray())));
  }

  /**
   * The identity that a chain gives.
   *
   * @throws AttestationException if the chain is not consistent
   */
  public static ClientIdentity of(ExplicitKeyChain chain) {
    CborValue root = CborReader.decode(chain.rootKey());
    List<CborValue> items = chain.items();
    if (items.size() == 2) {
      return new ClientIdentity(chain, CosePublicKey.decode(chain.rootKey()));
    }
    CborWriter out = new CborWriter(chain.encoded().length());
    out.array(items.size() - 1).value(root);
    items.subList(2, items.size()).forEach(out::value);
    DiceChain dice = DiceChain.decode(ByteSlice.takeOver(out.toByteArray()));
    dice.verifySignatures();
    checkNames(dice);
    return new ClientIdentity(chain, dice.leaf().subjectPublicKey());
  }

  private static void checkNames(DiceChain chain) {
    Set<String> subjects = new HashSet<>();
    Set<CosePublicKey> keys = new HashSet<>();
    String before = null;
    for (DiceCertificate certificate : chain.certificates()) {
      String subject =
          certificate
              .subject()
              .orElseThrow(() -> new SealException("a certificate has no subject", -1));
      if (before != null && !before.equals(certificate.issuer().orElse(""))) {
        throw new SealException("an issuer must be the subject before it but differs", -1);
      }
      if (!subjects.add(subject) || !keys.add(certificate.subjectPublicKey())) {
        throw new SealException("a subject or key occurs twice in the chain", -1);
      }
      before = subject;
    }
  }

  /**
   * Decodes an identity as the exchange carries it: version, chain, and a policy that is ignored.
   *
   * @throws AttestationException if it is malformed or not consistent
   */
  public static ClientIdentity decode(ByteSlice bytes) {
    List<CborValue> items = CborReader.decode(bytes).asArray().items();
    if (items.size() < 2 || items.size() > 3 || !items.get(0).asInteger().is(VERSION)) {
      throw new SealException(
          "identity must be version 1, a chain and at most a policy", bytes.offset());
    }
    return of(ExplicitKeyChain.decode(items.get(1).asBytes()));
  }

  /** The identity as the exchange carries it, without a policy. */
  public ByteSlice encode() {
    return ByteSlice.takeOver(
        new CborWriter(chain.encoded().length() + 8)
            .array(2)
            .integer(VERSION)
            .bytes(chain.encoded())
            .toByteArray());
  }

  /** The chain. */
  public ExplicitKeyChain chain() {
    return chain;
  }

  /** The key of the last layer, or the root key where there is no layer. */
  public CosePublicKey verificationKey() {
    return verificationKey;
  }

  /** Whether the root key is this one, whatever its encoding. */
  public boolean hasRootKey(CosePublicKey key) {
    return CosePublicKey.decode(chain.rootKey()).equals(key);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ClientIdentity that && chain.equals(that.chain);
  }

  @Override
  public int hashCode() {
    return chain.hashCode();
  }

  @Override
  public String toString() {
    return "ClientIdentity[" + (chain.items().size() - 2) + " certificates]";
  }
}
