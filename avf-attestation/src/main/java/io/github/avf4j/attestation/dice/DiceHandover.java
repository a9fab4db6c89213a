package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborLimits;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one layer hands the next: its secrets and the chain that certifies its key. AOSP calls it
 * AndroidDiceHandover, and BccHandover in older places.
 *
 * <p>Closing wipes the secrets. Thread-safe.
 */
public final class DiceHandover implements AutoCloseable {
  private static final int CHAIN_OFFSET = 72;
  private static final byte[] ATTEST_HEAD = {0x01, 0x58, 0x20};
  private static final byte[] SEAL_HEAD = {0x02, 0x58, 0x20};

  private final Cdis cdis;
  private final @Nullable DiceChain chain;

  private DiceHandover(Cdis cdis, @Nullable DiceChain chain) {
    this.cdis = cdis;
    this.chain = chain;
  }

  /** Makes a handover, which takes over the secrets. */
  public static DiceHandover of(Cdis cdis, @Nullable DiceChain chain) {
    return new DiceHandover(cdis, chain);
  }

  /**
   * Takes a handover apart; bytes after it are ignored. The caller wipes the input and closes the
   * result. The chain is not verified.
   *
   * @throws DiceException if the bytes are not a map of the two secrets, in this order, of 32 bytes
   *     each, and at most a chain
   */
  public static DiceHandover parse(byte[] bytes) {
    try {
      return parseSecrets(bytes);
    } catch (DiceException e) {
      throw e;
    } catch (AttestationException e) {
      throw new DiceException(DiceRule.STRUCTURE, "DICE handover", e);
    }
  }

  /** The secrets are not put into a CBOR tree, which could not be wiped. */
  private static DiceHandover parseSecrets(byte[] bytes) {
    if (bytes.length < 1 || bytes[0] != (byte) 0xa2 && bytes[0] != (byte) 0xa3) {
      throw fault("must be a map of 2 or 3 entries", 0);
    }
    expect(bytes, 1, ATTEST_HEAD, "CDI_Attest must be entry 1, with 32 bytes");
    expect(bytes, 36, SEAL_HEAD, "CDI_Seal must be entry 2, with 32 bytes");
    if (bytes.length < 39 + Cdis.SIZE) {
      throw fault("input ends inside CDI_Seal", bytes.length);
    }
    DiceChain chain = bytes[0] == (byte) 0xa3 ? chain(bytes) : null;
    try (SecretBytes attest = SecretBytes.takeOver(Arrays.copyOfRange(bytes, 4, 36));
        SecretBytes seal = SecretBytes.takeOver(Arrays.copyOfRange(bytes, 39, 71))) {
      return new DiceHandover(Cdis.copyOf(attest, seal), chain);
    }
  }

  private static DiceChain chain(byte[] bytes) {
    if (bytes.length < CHAIN_OFFSET || bytes[CHAIN_OFFSET - 1] != 3) {
      throw fault("entry 3 must be the chain", Math.min(CHAIN_OFFSET - 1, bytes.length));
    }
    // Zeros in place of the secrets, so that positions stay those of the handover.
    int length = Math.min(bytes.length, CHAIN_OFFSET + DiceChain.MAX_BYTES);
    byte[] blinded = Arrays.copyOf(bytes, length);
    Arrays.fill(blinded, 0, CHAIN_OFFSET, (byte) 0);
    ByteSlice rest = ByteSlice.takeOver(blinded).slice(CHAIN_OFFSET);
    return DiceChain.parse(
        new CborReader(rest, CborLimits.DEFAULT.withMaxBytes(DiceChain.MAX_BYTES)).read());
  }

  private static void expect(byte[] bytes, int at, byte[] head, String reason) {
    if (bytes.length < at + head.length
        || !Arrays.equals(bytes, at, at + head.length, head, 0, head.length)) {
      throw fault(reason, Math.min(at, bytes.length));
    }
  }

  private static DiceException fault(String reason, int position) {
    return new DiceException(DiceRule.STRUCTURE, "DICE handover: " + reason, position);
  }

  /** The secrets of the layer, which live as long as this handover. */
  public Cdis cdis() {
    return cdis;
  }

  /** The chain, where there is one. */
  public Optional<DiceChain> chain() {
    return Optional.ofNullable(chain);
  }

  /**
   * Makes the handover of the next layer: derives its secrets and key, certifies the key, and
   * appends the certificate to the chain, whose bytes stay as they are. Where there is no chain, it
   * begins with the key of this layer. This handover stays open; the caller closes both.
   */
  public DiceHandover next(DiceInput input, DiceCertificateIssuer issuer) {
    Cdis nextCdis = cdis.next(input);
    try (CosePrivateKey current = DiceKeys.keyPair(issuer.algorithm(), cdis.attest());
        CosePrivateKey next = DiceKeys.keyPair(issuer.algorithm(), nextCdis.attest())) {
      byte[] certificate = issuer.issue(current, next.publicKey(), input);
      List<CborValue> items =
          chain == null ? List.of(CborReader.decode(current.publicKey().encode())) : chain.items();
      CborWriter out = new CborWriter(certificate.length + 1024);
      out.array(items.size() + 1);
      items.forEach(out::value);
      out.encoded(certificate);
      return new DiceHandover(nextCdis, DiceChain.decode(ByteSlice.takeOver(out.toByteArray())));
    } catch (RuntimeException | Error e) {
      nextCdis.close();
      throw e;
    }
  }

  /** The encoded handover, secrets included. The caller closes it. */
  public SecretBytes encode() {
    byte[] chainBytes = chain == null ? new byte[0] : chain.encoded().toByteArray();
    byte[] out = new byte[chain == null ? CHAIN_OFFSET - 1 : CHAIN_OFFSET + chainBytes.length];
    out[0] = (byte) (chain == null ? 0xa2 : 0xa3);
    System.arraycopy(ATTEST_HEAD, 0, out, 1, ATTEST_HEAD.length);
    copy(cdis.attest(), out, 4);
    System.arraycopy(SEAL_HEAD, 0, out, 36, SEAL_HEAD.length);
    copy(cdis.seal(), out, 39);
    if (chain != null) {
      out[CHAIN_OFFSET - 1] = 3;
      System.arraycopy(chainBytes, 0, out, CHAIN_OFFSET, chainBytes.length);
    }
    return SecretBytes.takeOver(out);
  }

  private static void copy(SecretBytes secret, byte[] target, int at) {
    secret.use(
        bytes -> {
          System.arraycopy(bytes, 0, target, at, bytes.length);
          return bytes.length;
        });
  }

  /** Wipes the secrets. */
  @Override
  public void close() {
    cdis.close();
  }

  /** The length of the chain, never the secrets. */
  @Override
  public String toString() {
    return "DiceHandover["
        + (chain == null ? "no chain" : chain.certificates().size() + " certificates")
        + "]";
  }
}
