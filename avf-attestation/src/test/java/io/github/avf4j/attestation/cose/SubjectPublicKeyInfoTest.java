package io.github.avf4j.attestation.cose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SubjectPublicKeyInfoTest {
  @ParameterizedTest
  @EnumSource(CoseAlgorithm.class)
  void encodesAndDecodesKeys(CoseAlgorithm algorithm) {
    CosePublicKey key = CoseKeyTest.key(algorithm).publicKey();
    byte[] der = key.toSubjectPublicKeyInfo();
    assertThat(CosePublicKey.ofSubjectPublicKeyInfo(ByteSlice.takeOver(der))).isEqualTo(key);
  }

  @ParameterizedTest
  @CsvSource({
    "ED25519, Ed25519, Ed25519",
    "ES256, EC, SHA256withECDSAinP1363Format",
    "ES384, EC, SHA384withECDSAinP1363Format"
  })
  void writesKeysWithWhichTheJdkVerifies(CoseAlgorithm algorithm, String type, String name)
      throws Exception {
    CosePrivateKey key = CoseKeyTest.key(algorithm);
    PublicKey jdkKey =
        KeyFactory.getInstance(type)
            .generatePublic(new X509EncodedKeySpec(key.publicKey().toSubjectPublicKeyInfo()));
    byte[] message = {1, 2, 3};
    Signature verifier = Signature.getInstance(name);
    verifier.initVerify(jdkKey);
    verifier.update(message);
    assertThat(verifier.verify(key.sign(message))).isTrue();
  }

  @Test
  void readsTheKeyOfACertificate() throws Exception {
    X509Certificate certificate =
        (X509Certificate)
            CertificateFactory.getInstance("X.509")
                .generateCertificate(
                    new java.io.ByteArrayInputStream(
                        Vectors.bytes("open-dice/X509Ed25519Cert_ZeroInput.der")));
    byte[] der = certificate.getPublicKey().getEncoded();
    assertThat(CosePublicKey.ofSubjectPublicKeyInfo(ByteSlice.takeOver(der)).raw().toHex())
        .isEqualTo("0d14e5de292eb1c8b31beae43ab55d8e9dc014b73eaa83b925a0788cc62e5c8d");
  }

  @Test
  void refusesEveryShorterOrChangedEncoding() {
    byte[] der = CoseKeyTest.key(CoseAlgorithm.ES256).publicKey().toSubjectPublicKeyInfo();
    for (int i = 0; i < der.length; i++) {
      byte[] cut = java.util.Arrays.copyOf(der, i);
      byte[] changed = der.clone();
      changed[i] ^= 0x41;
      for (byte[] bad : new byte[][] {cut, changed, java.util.Arrays.copyOf(der, der.length + 1)}) {
        assertThatThrownBy(() -> CosePublicKey.ofSubjectPublicKeyInfo(ByteSlice.copyOf(bad)))
            .isInstanceOf(AttestationException.class);
      }
    }
  }
}
