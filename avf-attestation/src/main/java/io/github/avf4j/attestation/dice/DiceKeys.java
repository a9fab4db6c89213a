package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.internal.Hkdf;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The key pair of a layer and the id of a key (Open Profile for DICE).
 *
 * <p>Thread-safe.
 */
public final class DiceKeys {
  /** The length of a seed, in bytes. */
  public static final int SEED_SIZE = 32;

  /** The length of an id, in bytes. */
  public static final int ID_SIZE = 20;

  private static final byte[] ASYM_SALT =
      hex(
          "63b6a04d2c077fc10f639f21da793844356cc2b0b441b3a77124035c03f8e1be"
              + "6035d31f282821a7450a02222ab1b3cff1679b05ab1ca5d1affb789ccd2b0b3b");
  private static final byte[] ID_SALT =
      hex(
          "dbdbaebc8020da9ff0dd5a24c83aa5a54286dfc263031e329b4da148430659fe"
              + "62cdb5b7e1e00fc680306711eb444af77209359496fcff1db9520ba51c7b29ea");

  private DiceKeys() {}

  /** The seed of the key pair of a layer: 32 bytes of its CDI_Attest. */
  public static SecretBytes seed(SecretBytes cdiAttest) {
    return cdiAttest.use(
        cdi -> SecretBytes.takeOver(Hkdf.sha512(SEED_SIZE, cdi, ASYM_SALT, "Key Pair")));
  }

  /** The key pair of a layer, derived from its CDI_Attest. The caller closes it. */
  public static CosePrivateKey keyPair(CoseAlgorithm algorithm, SecretBytes cdiAttest) {
    try (SecretBytes seed = seed(cdiAttest)) {
      return keyPairOfSeed(algorithm, seed);
    }
  }

  /** The key pair of a seed. The caller closes it. */
  public static CosePrivateKey keyPairOfSeed(CoseAlgorithm algorithm, SecretBytes seed) {
    return switch (algorithm) {
      case ED25519, ML_DSA_65, ML_DSA_87 -> CosePrivateKey.ofSecret(algorithm, seed);
      case ES256, ES384 -> {
        try (SecretBytes scalar = seed.use(bytes -> EcScalarGenerator.derive(algorithm, bytes))) {
          yield CosePrivateKey.ofSecret(algorithm, scalar);
        }
      }
    };
  }

  /** The id of a key: 20 bytes, the first bit 0. */
  public static byte[] id(CosePublicKey key) {
    return id(key.raw().toByteArray());
  }

  /** The id of a key in raw bytes. */
  static byte[] id(byte[] rawPublicKey) {
    byte[] id = Hkdf.sha512(ID_SIZE, rawPublicKey, ID_SALT, "ID");
    id[0] &= 0x7f;
    return id;
  }

  /** The id of a key as certificates hold it: 40 lower-case hexadecimal digits. */
  public static String idText(CosePublicKey key) {
    return HexFormat.of().formatHex(id(key));
  }

  /** The private key in the form of AVF: the seed, then the public key, 64 bytes. */
  public static SecretBytes ed25519SeedAndPublicKey(CosePrivateKey key) {
    if (key.algorithm() != CoseAlgorithm.ED25519) {
      throw new IllegalArgumentException("key must be of Ed25519 but is of " + key.algorithm());
    }
    return key.secret()
        .use(
            seed -> {
              byte[] both = Arrays.copyOf(seed, seed.length + key.publicKey().raw().length());
              key.publicKey().raw().copyTo(both, seed.length);
              return SecretBytes.takeOver(both);
            });
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }
}
