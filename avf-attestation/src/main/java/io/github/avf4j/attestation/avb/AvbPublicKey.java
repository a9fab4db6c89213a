package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import io.github.avf4j.attestation.internal.Digests;
import io.github.avf4j.attestation.verity.VerityHash;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * An RSA key in the form of AvbRSAPublicKeyHeader: bits, n0inv, n, rr.
 *
 * <p>The public exponent is always 65537. The whole blob is the identity of a key: it is what is
 * compared with a trusted one. Immutable and thread-safe.
 */
public final class AvbPublicKey {
  private static final BigInteger EXPONENT = BigInteger.valueOf(65537);
  private static final BigInteger TWO_TO_32 = BigInteger.ONE.shiftLeft(32);
  private static final int FIXED = 8;

  private final ByteSlice blob;
  private final BigInteger modulus;
  private final int bits;

  private AvbPublicKey(ByteSlice blob, BigInteger modulus, int bits) {
    this.blob = blob;
    this.modulus = modulus;
    this.bits = bits;
  }

  /**
   * Reads a blob. n0inv and rr are kept but neither used nor checked.
   *
   * @throws AvbException of kind KEY if sizes are wrong or the modulus is even or too short
   */
  public static AvbPublicKey parse(ByteSlice blob) {
    if (blob.length() < FIXED) {
      throw fault("a key needs at least 8 bytes but has " + blob.length(), blob);
    }
    ByteBuffer buffer = blob.asByteBuffer();
    long bits = Integer.toUnsignedLong(buffer.getInt(0));
    if (bits != 2048 && bits != 4096 && bits != 8192) {
      throw fault("a key must have 2048, 4096 or 8192 bits but says " + bits, blob);
    }
    int bytes = (int) bits / 8;
    if (blob.length() != FIXED + 2 * bytes) {
      throw fault(
          "a key of %d bits has %d bytes but here are %d"
              .formatted(bits, FIXED + 2 * bytes, blob.length()),
          blob);
    }
    BigInteger modulus = new BigInteger(1, blob.slice(FIXED, FIXED + bytes).toByteArray());
    if (!modulus.testBit(0) || modulus.bitLength() != bits) {
      throw fault("the modulus is even or shorter than " + bits + " bits", blob);
    }
    return new AvbPublicKey(blob, modulus, (int) bits);
  }

  /**
   * Makes the blob of a modulus.
   *
   * @throws AvbException of kind KEY if the modulus has not 2048, 4096 or 8192 bits, or the
   *     exponent is not 65537
   */
  public static AvbPublicKey of(BigInteger modulus, BigInteger exponent) {
    int bits = modulus.bitLength();
    if (!exponent.equals(EXPONENT)) {
      throw new AvbException(Kind.KEY, "the public exponent must be 65537");
    }
    if ((bits != 2048 && bits != 4096 && bits != 8192) || !modulus.testBit(0)) {
      throw new AvbException(
          Kind.KEY, "an RSA key must have 2048, 4096 or 8192 bits but has " + bits);
    }
    int bytes = bits / 8;
    int n0inv = TWO_TO_32.subtract(modulus.modInverse(TWO_TO_32)).intValue();
    BigInteger rr = BigInteger.ONE.shiftLeft(2 * bits).mod(modulus);
    byte[] blob = new byte[FIXED + 2 * bytes];
    ByteBuffer.wrap(blob)
        .putInt(bits)
        .putInt(n0inv)
        .put(unsigned(modulus, bytes))
        .put(unsigned(rr, bytes));
    return new AvbPublicKey(ByteSlice.takeOver(blob), modulus, bits);
  }

  /** The blob. */
  public ByteSlice blob() {
    return blob;
  }

  /** The modulus n. */
  public BigInteger modulus() {
    return modulus;
  }

  /** The size of the modulus in bits: 2048, 4096 or 8192. */
  public int bits() {
    return bits;
  }

  /** SHA-1 of the blob in hexadecimal digits: the name by which avbtool prints keys. */
  public String sha1() {
    MessageDigest digest = VerityHash.SHA1.newDigest();
    digest.update(blob.asByteBuffer());
    return ByteSlice.takeOver(digest.digest()).toHex();
  }

  /** SHA-512 of the blob: the authority hash of what it signed. */
  public ByteSlice sha512() {
    return ByteSlice.takeOver(Digests.sha2(64, blob));
  }

  /** Whether a signature over a digest is valid; wrong sizes are simply invalid. */
  public boolean verify(AvbAlgorithm algorithm, byte[] digest, ByteSlice signature) {
    if (algorithm.keyBits() != bits
        || digest.length != algorithm.hashSize()
        || signature.length() != algorithm.signatureSize()) {
      return false;
    }
    BigInteger s = new BigInteger(1, signature.toByteArray());
    if (s.compareTo(modulus) >= 0) {
      return false;
    }
    byte[] opened = unsigned(s.modPow(EXPONENT, modulus), bits / 8);
    return Arrays.equals(opened, algorithm.encodedMessage(digest));
  }

  static byte[] unsigned(BigInteger value, int length) {
    byte[] signed = value.toByteArray();
    byte[] out = new byte[length];
    int count = Math.min(signed.length, length);
    System.arraycopy(signed, signed.length - count, out, length - count, count);
    return out;
  }

  private static AvbException fault(String reason, ByteSlice blob) {
    return new AvbException(Kind.KEY, reason, blob.offset());
  }

  /** Whether the blobs are the same, byte for byte. */
  @Override
  public boolean equals(Object other) {
    return other instanceof AvbPublicKey that && blob.equals(that.blob);
  }

  @Override
  public int hashCode() {
    return blob.hashCode();
  }

  @Override
  public String toString() {
    return "RSA-" + bits + " " + sha1();
  }
}
