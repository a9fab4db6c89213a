package io.github.avf4j.benchmarks;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.dice.AndroidProfile;
import io.github.avf4j.attestation.dice.Cdis;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceCertificateIssuer;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/**
 * Decoding and verifying a DICE chain of eight Ed25519 certificates, signatures and all rules,
 * against eight bare Ed25519 verifications by Bouncy Castle of the same bytes; one thread.
 */
final class AttestationChain implements Benchmark {
  private static final int CERTIFICATES = 8;
  private static final int ROUNDS = 31;
  private static final int WARM_UP = 10;
  private static final int PER_ROUND = 100;

  /** What was signed, as Bouncy Castle takes it. */
  private record Signed(byte[] publicKey, byte[] message, byte[] signature) {}

  @Override
  public String name() {
    return "attestation.chain";
  }

  @Override
  public Result measure() {
    byte[] chain = chain();
    List<Signed> signed = signed(DiceChain.decode(chain));
    Samples ours = new Samples();
    Samples bare = new Samples();
    for (int round = -WARM_UP; round < ROUNDS; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < PER_ROUND; i++) {
        verifyBare(signed);
      }
      long middle = System.nanoTime();
      for (int i = 0; i < PER_ROUND; i++) {
        DiceChain.decode(chain).verify(DiceChainRules.DEFAULT);
      }
      long end = System.nanoTime();
      if (round >= 0) {
        bare.add((middle - start) / 1e3 / PER_ROUND);
        ours.add((end - middle) / 1e3 / PER_ROUND);
      }
    }
    return new Result(
        name(), ours.median(), "us", bare.median(), "at most 1.30 (eight bare verifications)");
  }

  private static void verifyBare(List<Signed> all) {
    for (Signed one : all) {
      if (!Ed25519.verify(
          one.signature(), 0, one.publicKey(), 0, one.message(), 0, one.message().length)) {
        throw new IllegalStateException("Bouncy Castle refuses a signature of the chain");
      }
    }
  }

  private static byte[] chain() {
    DiceCertificateIssuer issuer = DiceCertificateIssuer.of(AndroidProfile.ANDROID_16);
    DiceHandover handover =
        DiceHandover.of(Cdis.ofUniqueDeviceSecret(SecretBytes.takeOver(new byte[Cdis.SIZE])), null);
    for (int i = 0; i < CERTIFICATES; i++) {
      try (DiceHandover current = handover) {
        handover = current.next(input(i), issuer);
      }
    }
    try (DiceHandover last = handover) {
      return last.chain().orElseThrow().encoded().toByteArray();
    }
  }

  private static DiceInput input(int layer) {
    byte[] hash = new byte[DiceInput.HASH_SIZE];
    hash[0] = (byte) (layer + 1);
    return DiceInput.builder()
        .codeHash(ByteSlice.copyOf(hash))
        .config(
            ConfigDescriptor.builder()
                .componentName("layer " + layer)
                .componentVersion(1)
                .securityVersion(1)
                .build())
        .authorityHash(ByteSlice.copyOf(hash))
        .mode(DiceMode.NORMAL)
        .build();
  }

  /** The bytes under each signature (RFC 9052, section 4.4), made before anything is measured. */
  private static List<Signed> signed(DiceChain chain) {
    List<Signed> all = new ArrayList<>();
    CosePublicKey key = chain.rootKey();
    for (DiceCertificate certificate : chain.certificates()) {
      CoseSign1 message = certificate.message();
      byte[] structure =
          new CborWriter()
              .array(4)
              .text("Signature1")
              .bytes(message.protectedHeader())
              .bytes(ByteSlice.EMPTY)
              .bytes(message.payload())
              .toByteArray();
      all.add(new Signed(key.raw().toByteArray(), structure, message.signature().toByteArray()));
      key = certificate.subjectPublicKey();
    }
    return all;
  }
}
