package io.github.avf4j.attestation.cose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CoseKeyTest {
  private static final String X =
      "6ee9a71fd3c398e6253aae6d812007675760ecf90d2d43db0d3c76087ba1daec";
  private static final String ED25519 = "a501010327048102200621" + "5820" + X;
  private static final String P256_X =
      "1f4aaefc29ca4104447448d13a553513c23abca2b6ac3ff063f6888a696de539";
  private static final String P256_Y = "06f5d8bd698d1688a3250c4683c3ed4e28e2";

  static CosePrivateKey key(CoseAlgorithm algorithm) {
    byte[] secret = new byte[algorithm == CoseAlgorithm.ES384 ? 48 : 32];
    Arrays.fill(secret, (byte) 7);
    return CosePrivateKey.ofSecret(algorithm, SecretBytes.takeOver(secret));
  }

  private static CosePublicKey parse(String hex) {
    return CosePublicKey.parse(CborReader.decode(ByteSlice.ofHex(hex)), KeyOpsRule.ARRAY);
  }

  @ParameterizedTest
  @EnumSource(CoseAlgorithm.class)
  void encodesAndDecodesKeys(CoseAlgorithm algorithm) {
    CosePublicKey key = key(algorithm).publicKey();
    assertThat(CosePublicKey.decode(ByteSlice.takeOver(key.encode()))).isEqualTo(key);
    assertThat(CosePublicKey.decode(ByteSlice.takeOver(key.encodeWithoutKeyOps()))).isEqualTo(key);
  }

  @Test
  void writesTheHeadsOfTheSpecification() {
    assertThat(ByteSlice.takeOver(key(CoseAlgorithm.ED25519).publicKey().encode()).toHex())
        .startsWith("a5010103270481022006215820");
    assertThat(ByteSlice.takeOver(key(CoseAlgorithm.ES256).publicKey().encode()).toHex())
        .startsWith("a6010203260481022001215820");
    assertThat(ByteSlice.takeOver(key(CoseAlgorithm.ES384).publicKey().encode()).toHex())
        .startsWith("a601020338220481022002215830");
    assertThat(ByteSlice.takeOver(key(CoseAlgorithm.ML_DSA_65).publicKey().encode()).toHex())
        .startsWith("a4010703383004810220" + "5907a0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // no key_ops
        "a4010103272006215820" + X,
        // empty key_ops
        "a5010103270480200621" + "5820" + X,
        // sign and verify
        "a50101032704820102200621" + "5820" + X,
        // any order
        "a5" + "215820" + X + "2006" + "04810203270101",
        // key id and base IV
        "a7010102410003270481020541002006215820" + X,
      })
  void readsOtherFormsOfTheSameKey(String hex) {
    assertThat(parse(hex)).isEqualTo(parse(ED25519));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a401010327200621581f" + "00000000000000000000000000000000000000000000000000000000000000",
        "a4010103262006215820" + X, // algorithm of another type
        "a4010203272006215820" + X, // another type
        "a4010103272004215820" + X, // another curve
        "a3010103272006", // no x
        "a30101" + "2006215820" + X, // no alg
        "a5010103270400" + "2006215820" + X, // key_ops that is a number
        "a501010327048101" + "2006215820" + X, // sign only
        "a5010103272006215820" + X + "235820" + X, // a private key
        "a5010103272006215820" + X + "224100", // y
        "a5010103272006215820" + X + "616100", // text label
        "a5010103272006215820" + X + "0600", // unknown label
        "a401010327200621f6", // x that is null
        "80",
        "a0",
        "a4010103272006215820"
            + "0200000000000000000000000000000000000000000000000000000000000000", // no point
      })
  void refusesWhatIsNotAPublicKey(String hex) {
    assertThatThrownBy(() -> parse(hex)).isInstanceOf(AttestationException.class);
  }

  @Test
  void refusesAPointThatIsNotOnTheCurveAndShortCoordinates() {
    String head = "a5010203262001" + "215820" + P256_X;
    assertThatThrownBy(() -> parse(head + "225820" + P256_X)).isInstanceOf(CoseException.class);
    assertThatThrownBy(() -> parse(head + "2252" + P256_Y))
        .isInstanceOf(AttestationException.class);
    assertThatThrownBy(
            () -> CosePublicKey.ofRaw(CoseAlgorithm.ES256, ByteSlice.takeOver(new byte[64])))
        .isInstanceOf(CoseException.class);
    byte[] tooGreat = new byte[64];
    Arrays.fill(tooGreat, (byte) 0xff);
    assertThatThrownBy(() -> CosePublicKey.ofRaw(CoseAlgorithm.ES256, ByteSlice.takeOver(tooGreat)))
        .isInstanceOf(CoseException.class);
  }

  @Test
  void takesOneIntegerAsKeyOpsOnlyWhereAllowed() {
    String hex = "a50101032704022006215820" + X;
    assertThatThrownBy(() -> parse(hex)).isInstanceOf(AttestationException.class);
    assertThat(
            CosePublicKey.parse(
                CborReader.decode(ByteSlice.ofHex(hex)), KeyOpsRule.INTEGER_OR_ARRAY))
        .isEqualTo(parse(ED25519));
  }

  @Test
  void refusesScalarsOutOfRange() {
    assertThatThrownBy(
            () -> CosePrivateKey.ofSecret(CoseAlgorithm.ES256, SecretBytes.takeOver(new byte[32])))
        .isInstanceOf(CoseException.class);
    byte[] great = new byte[48];
    Arrays.fill(great, (byte) 0xff);
    assertThatThrownBy(
            () -> CosePrivateKey.ofSecret(CoseAlgorithm.ES384, SecretBytes.takeOver(great)))
        .isInstanceOf(CoseException.class);
  }

  @ParameterizedTest
  @EnumSource(CoseAlgorithm.class)
  void neverPrintsAPrivateKeyAndWipesIt(CoseAlgorithm algorithm) {
    CosePrivateKey key = key(algorithm);
    assertThat(key.toString() + key.secret()).doesNotContain("070707");
    key.close();
    assertThatThrownBy(() -> key.sign(new byte[1])).isInstanceOf(IllegalStateException.class);
  }
}
