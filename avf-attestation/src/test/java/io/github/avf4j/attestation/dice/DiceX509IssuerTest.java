package io.github.avf4j.attestation.dice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.io.ByteArrayInputStream;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DiceX509IssuerTest {
  private static final ByteSlice ZEROS = ByteSlice.takeOver(new byte[64]);
  private static final DiceInput ZERO_INPUT =
      DiceInput.builder()
          .codeHash(ZEROS)
          .config(new DiceConfig.Inline(ZEROS))
          .authorityHash(ZEROS)
          .mode(DiceMode.NOT_CONFIGURED)
          .build();

  private static byte[] issue(DiceX509Issuer issuer, DiceInput input) {
    try (Cdis cdis = Cdis.ofUniqueDeviceSecret(SecretBytes.takeOver(new byte[32]));
        Cdis nextCdis = cdis.next(input);
        CosePrivateKey current = DiceKeys.keyPair(issuer.algorithm(), cdis.attest());
        CosePrivateKey next = DiceKeys.keyPair(issuer.algorithm(), nextCdis.attest())) {
      return issuer.issue(current, next.publicKey(), input);
    }
  }

  private static X509Certificate read(byte[] der) throws Exception {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
  }

  @Test
  void makesTheCertificateOfOpenDiceWithEd25519() {
    DiceX509Issuer issuer = new DiceX509Issuer(CoseAlgorithm.ED25519, null);
    assertThat(issue(issuer, ZERO_INPUT))
        .isEqualTo(Vectors.bytes("open-dice/X509Ed25519Cert_ZeroInput.der"));
  }

  @Test
  void makesTheSignedPartOfOpenDiceWithP256() throws Exception {
    DiceX509Issuer issuer = new DiceX509Issuer(CoseAlgorithm.ES256, "opendice.example");
    X509Certificate foreign = read(Vectors.bytes("open-dice/X509P256Cert_ZeroInput.der"));
    X509Certificate made = read(issue(issuer, ZERO_INPUT));
    assertThat(made.getTBSCertificate()).isEqualTo(foreign.getTBSCertificate());
    assertThat(made.getSigAlgOID()).isEqualTo(foreign.getSigAlgOID());
  }

  @ParameterizedTest
  @EnumSource(names = {"ED25519", "ES256", "ES384"})
  void signsWhatTheJdkVerifies(CoseAlgorithm algorithm) throws Exception {
    DiceInput input =
        DiceInput.builder()
            .codeHash(ZEROS)
            .codeDescriptor(ByteSlice.ofHex("01"))
            .config(new DiceConfig.Descriptor(ByteSlice.ofHex("a0")))
            .authorityHash(ZEROS)
            .authorityDescriptor(ByteSlice.ofHex("02"))
            .mode(DiceMode.NORMAL)
            .build();
    X509Certificate made = read(issue(new DiceX509Issuer(algorithm, null), input));
    try (Cdis cdis = Cdis.ofUniqueDeviceSecret(SecretBytes.takeOver(new byte[32]));
        CosePrivateKey current = DiceKeys.keyPair(algorithm, cdis.attest());
        Cdis none = cdis.next(input);
        CosePrivateKey next = DiceKeys.keyPair(algorithm, none.attest())) {
      // A certificate of the issuer's key by itself gives the JDK that key.
      byte[] self = new DiceX509Issuer(algorithm, null).issue(current, current.publicKey(), input);
      made.verify(read(self).getPublicKey());
      assertThat(made.getPublicKey().getEncoded())
          .isEqualTo(next.publicKey().toSubjectPublicKeyInfo());
    }
    assertThat(made.getCriticalExtensionOIDs()).contains(DiceX509Issuer.EXTENSION_OID);
    assertThat(made.getBasicConstraints()).isEqualTo(Integer.MAX_VALUE);
    assertThat(made.getKeyUsage()[5]).isTrue();
  }

  @Test
  void refusesMlDsaAndKeysOfAnotherAlgorithm() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DiceX509Issuer(CoseAlgorithm.ML_DSA_65, null));
    DiceX509Issuer issuer = new DiceX509Issuer(CoseAlgorithm.ES256, null);
    try (CosePrivateKey key =
        CosePrivateKey.ofSecret(CoseAlgorithm.ED25519, SecretBytes.takeOver(new byte[32]))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> issuer.issue(key, key.publicKey(), ZERO_INPUT));
    }
  }
}
