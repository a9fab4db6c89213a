package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import io.github.avf4j.attestation.internal.Pem;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.crypto.engines.RSABlindedEngine;
import org.bouncycastle.crypto.params.RSAPrivateCrtKeyParameters;

/**
 * Reads RSA keys: PEM as openssl writes it (private or public, PKCS #1, PKCS #8 or X.509), and
 * public keys as AVB blobs.
 *
 * <p>Encrypted private keys are not read. The numbers of a private key stay in memory as long as
 * the signer does: Java's big integers cannot be wiped.
 */
public final class RsaKeyFile {
  private static final int MAX_BYTES = 64 * 1024;

  private RsaKeyFile() {}

  /**
   * Reads a public key from a PEM file (that of a private key will do) or from a blob.
   *
   * @throws AvbException of kind KEY if it is neither
   */
  public static AvbPublicKey readPublic(Path file) throws IOException {
    byte[] bytes = read(file);
    try {
      return publicKey(bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /**
   * Reads a private key from a PEM file.
   *
   * @throws AvbException of kind KEY if it is none
   */
  public static AvbSigner readPrivate(Path file) throws IOException {
    byte[] bytes = read(file);
    try {
      return signer(bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /** A public key from the bytes of a PEM file or of a blob. */
  public static AvbPublicKey publicKey(byte[] bytes) {
    if (!Pem.isIn(bytes)) {
      return AvbPublicKey.parse(ByteSlice.copyOf(bytes));
    }
    Pem.Section pem = section(bytes);
    try {
      RSAPublicKey key =
          switch (pem.label()) {
            case "PUBLIC KEY" ->
                RSAPublicKey.getInstance(
                    SubjectPublicKeyInfo.getInstance(pem.der()).parsePublicKey());
            case "RSA PUBLIC KEY" -> RSAPublicKey.getInstance(pem.der());
            default -> {
              RSAPrivateKey secret = privateKey(pem);
              yield new RSAPublicKey(secret.getModulus(), secret.getPublicExponent());
            }
          };
      return AvbPublicKey.of(key.getModulus(), key.getPublicExponent());
    } catch (IOException | IllegalArgumentException | IllegalStateException e) {
      throw new AvbException(Kind.KEY, "the PEM file holds no RSA key");
    } finally {
      Arrays.fill(pem.der(), (byte) 0);
    }
  }

  /** A signer from the bytes of a PEM file. */
  public static AvbSigner signer(byte[] bytes) {
    if (!Pem.isIn(bytes)) {
      throw new AvbException(Kind.KEY, "a private key must be a PEM file");
    }
    Pem.Section pem = section(bytes);
    try {
      RSAPrivateKey key = privateKey(pem);
      return new CrtSigner(AvbPublicKey.of(key.getModulus(), key.getPublicExponent()), key);
    } catch (IOException | IllegalArgumentException | IllegalStateException e) {
      throw new AvbException(Kind.KEY, "the PEM file holds no RSA private key");
    } finally {
      Arrays.fill(pem.der(), (byte) 0);
    }
  }

  private static byte[] read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new AvbException(Kind.KEY, "a key file has at most " + MAX_BYTES + " bytes");
      }
      return bytes;
    }
  }

  private static Pem.Section section(byte[] bytes) {
    try {
      return Pem.find(bytes, 0, label -> true)
          .orElseThrow(() -> new AvbException(Kind.KEY, "the PEM file has no complete section"));
    } catch (Pem.DamagedException e) {
      throw new AvbException(Kind.KEY, String.valueOf(e.getMessage()), e.position());
    }
  }

  private static RSAPrivateKey privateKey(Pem.Section pem) throws IOException {
    return switch (pem.label()) {
      case "RSA PRIVATE KEY" -> RSAPrivateKey.getInstance(pem.der());
      case "PRIVATE KEY" ->
          RSAPrivateKey.getInstance(PrivateKeyInfo.getInstance(pem.der()).parsePrivateKey());
      default ->
          throw new AvbException(
              Kind.KEY, "a PEM section \"" + pem.label() + "\" holds no RSA key");
    };
  }

  private static final class CrtSigner implements AvbSigner {
    private final AvbPublicKey publicKey;
    private final RSAPrivateCrtKeyParameters key;

    CrtSigner(AvbPublicKey publicKey, RSAPrivateKey key) {
      this.publicKey = publicKey;
      this.key =
          new RSAPrivateCrtKeyParameters(
              key.getModulus(),
              key.getPublicExponent(),
              key.getPrivateExponent(),
              key.getPrime1(),
              key.getPrime2(),
              key.getExponent1(),
              key.getExponent2(),
              key.getCoefficient());
    }

    @Override
    public AvbPublicKey publicKey() {
      return publicKey;
    }

    @Override
    public byte[] sign(AvbAlgorithm algorithm, byte[] digest) {
      if (algorithm.keyBits() != publicKey.bits()) {
        throw new AvbException(
            Kind.KEY,
            "%s needs a key of %d bits but this has %d"
                .formatted(algorithm, algorithm.keyBits(), publicKey.bits()));
      }
      RSABlindedEngine engine = new RSABlindedEngine();
      engine.init(true, key);
      byte[] message = algorithm.encodedMessage(digest);
      byte[] signature;
      try {
        signature = engine.processBlock(message, 0, message.length);
      } catch (ArithmeticException | IllegalStateException e) {
        throw new AvbException(Kind.KEY, "the numbers of the private key contradict each other");
      }
      return AvbPublicKey.unsigned(new BigInteger(1, signature), algorithm.signatureSize());
    }
  }
}
