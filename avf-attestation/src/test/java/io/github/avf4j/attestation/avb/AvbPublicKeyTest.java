package io.github.avf4j.attestation.avb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import java.math.BigInteger;
import java.security.MessageDigest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AvbPublicKeyTest {
  @Test
  void makesTheBlobThatAvbtoolMakes() {
    ByteSlice expected = Vectors.slice("avb/keys/testkey_rsa4096_pub.bin");
    assertThat(TestKeys.rsa4096().publicKey().blob()).isEqualTo(expected);
    assertThat(RsaKeyFile.publicKey(Vectors.bytes("avb/keys/testkey_rsa4096_pub.pem")).blob())
        .isEqualTo(expected);
    assertThat(RsaKeyFile.publicKey(Vectors.bytes("avb/keys/testkey_rsa4096_pub.bin")).blob())
        .isEqualTo(expected);
  }

  @Test
  void hasTheDigestsThatAvbtoolPrints() {
    assertThat(TestKeys.rsa2048().publicKey().sha1())
        .isEqualTo("cdbb77177f731920bbe0a0f94f84d9038ae0617d");
    assertThat(TestKeys.rsa4096().publicKey().sha1())
        .isEqualTo("2597c218aae470a130f61162feaae70afd97f011");
    assertThat(TestKeys.rsa2048().publicKey().blob().slice(0, 16).toHex())
        .isEqualTo("00000800c9d87d7bc65551dd3224a2e0");
  }

  @Test
  void recomputesTheBlobOfAKeyThatOthersMade() {
    AvbPublicKey key = AvbPublicKey.parse(Vectors.slice("avb/keys/com.android.virt.avbpubkey"));
    assertThat(AvbPublicKey.of(key.modulus(), BigInteger.valueOf(65537))).isEqualTo(key);
  }

  @ParameterizedTest
  @EnumSource(value = AvbAlgorithm.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void verifiesWhatItSignedAndNothingElse(AvbAlgorithm algorithm) {
    AvbSigner signer =
        switch (algorithm.keyBits()) {
          case 2048 -> TestKeys.rsa2048();
          case 4096 -> TestKeys.rsa4096();
          default -> TestKeys.rsa8192();
        };
    MessageDigest digest = algorithm.newDigest();
    byte[] hash = digest.digest(new byte[] {1});
    byte[] signature = signer.sign(algorithm, hash);
    assertThat(signer.publicKey().verify(algorithm, hash, ByteSlice.copyOf(signature))).isTrue();
    hash[0] ^= 1;
    assertThat(signer.publicKey().verify(algorithm, hash, ByteSlice.copyOf(signature))).isFalse();
  }

  @Test
  void refusesASignatureThatIsNotBelowTheModulus() {
    AvbPublicKey key = TestKeys.rsa2048().publicKey();
    byte[] hash = new byte[32];
    byte[] signature = TestKeys.rsa2048().sign(AvbAlgorithm.SHA256_RSA2048, hash);
    BigInteger shifted = new BigInteger(1, signature).add(key.modulus());
    if (shifted.bitLength() <= 2048) {
      signature = AvbPublicKey.unsigned(shifted, 256);
    } else {
      java.util.Arrays.fill(signature, (byte) 0xff);
    }
    assertThat(key.verify(AvbAlgorithm.SHA256_RSA2048, hash, ByteSlice.copyOf(signature)))
        .isFalse();
  }

  @Test
  void refusesBlobsOfWrongSizesAndEvenModuli() {
    byte[] blob = Vectors.bytes("avb/keys/testkey_rsa4096_pub.bin");
    assertThatThrownBy(() -> AvbPublicKey.parse(ByteSlice.copyOf(blob).slice(0, 1031)))
        .isInstanceOf(AvbException.class);
    assertThatThrownBy(() -> AvbPublicKey.parse(ByteSlice.EMPTY)).isInstanceOf(AvbException.class);
    blob[8 + 511] ^= 1;
    assertThatThrownBy(() -> AvbPublicKey.parse(ByteSlice.copyOf(blob)))
        .isInstanceOf(AvbException.class);
  }

  @Test
  void refusesAPublicKeyAsSigner() {
    assertThatThrownBy(() -> RsaKeyFile.signer(Vectors.bytes("avb/keys/testkey_rsa4096_pub.pem")))
        .isInstanceOf(AvbException.class)
        .hasMessageContaining("PUBLIC KEY");
  }
}
