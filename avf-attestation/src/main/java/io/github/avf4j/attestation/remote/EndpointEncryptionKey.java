package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.internal.Hkdf;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.bouncycastle.crypto.agreement.ECDHBasicAgreement;
import org.bouncycastle.crypto.agreement.X25519Agreement;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.X25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.X25519PublicKeyParameters;
import org.bouncycastle.util.BigIntegers;

/**
 * The two keys to which requests of version 2 are encrypted. Their private halves were published
 * when encryption was given up, so they protect nothing; they only make such requests readable.
 */
enum EndpointEncryptionKey {
  /** The key on curve 25519. */
  X25519(
      "d0aec115ca2acf73ae6bcccbd1961d65e8b1ddd74a1a37b9433a97d599df9808",
      "476665dbaae11ddbd303f7ad68bbff8d90af8a4fb8bf7cf339c7e973ec70758c",
      "be85e746c4a3425a40d9363aa615d02c587e3ddc330232d2fc5e1e87255f7260"),
  /** The key on P-256. */
  P256(
      "3573b73fa08a8089b12667e9cb7c75a1af0261fc6e6503913bd34b7d14943e46",
      "d10a5159b2a03943c858f1dc3fc40a0339319d34018f30a9c4467e6461356ddf",
      "e041cf2f0f340f1c332c41b0cfd70c305535d21e6a47134b2ed148967e249c68"
          + "1fce45c5fb61ba8121f9e5059b9b390e76868647b81e2f45f1ceafda3f8068db");

  private static final int SIZE = 32;
  private static final int A256GCM = 3;

  private final ByteSlice id;
  private final ByteSlice privateKey;
  private final ByteSlice publicKey;

  EndpointEncryptionKey(String id, String privateKey, String publicKey) {
    this.id = ByteSlice.ofHex(id);
    this.privateKey = ByteSlice.ofHex(privateKey);
    this.publicKey = ByteSlice.ofHex(publicKey);
  }

  static Optional<EndpointEncryptionKey> ofId(ByteSlice id) {
    return Arrays.stream(values()).filter(key -> key.id.equals(id)).findFirst();
  }

  /** The key of the message, from the sender's ephemeral COSE_Key. */
  byte[] contentKey(CborMap sender) {
    boolean x25519 = this == X25519;
    if (!sender.require(1, "kty").asInteger().is(x25519 ? 1 : 2)
        || !sender.require(-1, "crv").asInteger().is(x25519 ? 4 : 1)) {
      throw new RemoteAttestationException(
          "ephemeral key must be of the curve of the recipient", sender.position());
    }
    byte[] peer = new byte[x25519 ? SIZE : 2 * SIZE];
    sender.require(-2, "x").asBytes(SIZE).copyTo(peer, 0);
    if (!x25519) {
      sender.require(-3, "y").asBytes(SIZE).copyTo(peer, SIZE);
    }
    byte[] shared = x25519 ? agreeX25519(peer, sender) : agreeP256(peer, sender);
    return Hkdf.sha256(SIZE, shared, new byte[0], context(peer));
  }

  private byte[] agreeX25519(byte[] peer, CborMap sender) {
    X25519Agreement agreement = new X25519Agreement();
    agreement.init(new X25519PrivateKeyParameters(privateKey.toByteArray(), 0));
    byte[] shared = new byte[SIZE];
    try {
      agreement.calculateAgreement(new X25519PublicKeyParameters(peer, 0), shared, 0);
    } catch (IllegalStateException e) {
      throw new RemoteAttestationException(
          "ephemeral key gives no shared secret", sender.position(), e);
    }
    return shared;
  }

  private byte[] agreeP256(byte[] peer, CborMap sender) {
    ECDomainParameters domain = new ECDomainParameters(CustomNamedCurves.getByName("secp256r1"));
    ECDHBasicAgreement agreement = new ECDHBasicAgreement();
    agreement.init(new ECPrivateKeyParameters(new BigInteger(1, privateKey.toByteArray()), domain));
    try {
      ECPublicKeyParameters key =
          new ECPublicKeyParameters(
              domain
                  .getCurve()
                  .validatePoint(
                      new BigInteger(1, Arrays.copyOf(peer, SIZE)),
                      new BigInteger(1, Arrays.copyOfRange(peer, SIZE, 2 * SIZE))),
              domain);
      return BigIntegers.asUnsignedByteArray(SIZE, agreement.calculateAgreement(key));
    } catch (IllegalArgumentException e) {
      throw new RemoteAttestationException(
          "ephemeral key is not a point of P-256", sender.position(), e);
    }
  }

  /** COSE_KDF_Context (RFC 9053, section 5.2). */
  private byte[] context(byte[] peer) {
    CborWriter out = new CborWriter(256);
    out.array(4).integer(A256GCM);
    party(out, "client", peer);
    party(out, "server", publicKey.toByteArray());
    return out.array(2).integer(8 * SIZE).bytes(ByteSlice.EMPTY).toByteArray();
  }

  private static void party(CborWriter out, String name, byte[] key) {
    out.array(3).bytes(name.getBytes(StandardCharsets.US_ASCII));
    out.bytes(ByteSlice.EMPTY).bytes(key);
  }
}
