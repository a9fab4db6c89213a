package io.github.avf4j.attestation.cose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CoseSignTest {
  private static final ByteSlice PAYLOAD = text("payload");
  private static final ByteSlice AAD = text("aad");

  private static ByteSlice text(String text) {
    return ByteSlice.takeOver(text.getBytes(StandardCharsets.UTF_8));
  }

  private static CoseSign1 parse(byte[] message) {
    return CoseSign1.parse(CborReader.decode(message));
  }

  @ParameterizedTest
  @EnumSource(CoseAlgorithm.class)
  void signsAndVerifies(CoseAlgorithm algorithm) {
    CosePrivateKey key = CoseKeyTest.key(algorithm);
    CoseSign1 message = parse(CoseSign1.sign(key, PAYLOAD, AAD));
    message.verify(key.publicKey(), AAD);
    assertThat(message.payload()).isEqualTo(PAYLOAD);
    assertThat(message.signature().length()).isEqualTo(algorithm.signatureSize());
    assertThatThrownBy(() -> message.verify(key.publicKey()))
        .isInstanceOf(InvalidSignatureException.class)
        .hasMessage("the signature does not verify (at byte 0)");
  }

  @ParameterizedTest
  @EnumSource(CoseAlgorithm.class)
  void refusesChangedSignatures(CoseAlgorithm algorithm) {
    CosePrivateKey key = CoseKeyTest.key(algorithm);
    byte[] message = "message".getBytes(StandardCharsets.UTF_8);
    byte[] signature = key.sign(message);
    assertThat(key.publicKey().verify(message, signature)).isTrue();
    for (int i = 0; i < signature.length; i += 1 + signature.length / 64) {
      byte[] changed = signature.clone();
      changed[i] ^= 1;
      assertThat(key.publicKey().verify(message, changed)).isFalse();
    }
    for (int length : new int[] {0, 1, signature.length - 1, signature.length + 1}) {
      byte[] other = java.util.Arrays.copyOf(signature, length);
      assertThat(key.publicKey().verify(message, other)).isFalse();
    }
    assertThat(key.publicKey().verify(message, new byte[signature.length])).isFalse();
  }

  @Test
  void signsWhatTheJdkVerifies() throws Exception {
    CosePrivateKey key = CoseKeyTest.key(CoseAlgorithm.ED25519);
    byte[] raw = key.publicKey().raw().toByteArray();
    byte[] bigEndian = new byte[32];
    for (int i = 0; i < 32; i++) {
      bigEndian[i] = raw[31 - i];
    }
    boolean odd = (bigEndian[0] & 0x80) != 0;
    bigEndian[0] &= 0x7f;
    Signature verifier = Signature.getInstance("Ed25519");
    verifier.initVerify(
        KeyFactory.getInstance("Ed25519")
            .generatePublic(
                new EdECPublicKeySpec(
                    NamedParameterSpec.ED25519, new EdECPoint(odd, new BigInteger(1, bigEndian)))));
    verifier.update(PAYLOAD.toByteArray());
    assertThat(verifier.verify(key.sign(PAYLOAD.toByteArray()))).isTrue();
  }

  @Test
  void verifiesADetachedPayload() {
    CosePrivateKey key = CoseKeyTest.key(CoseAlgorithm.ES256);
    CoseSign1 message = parse(CoseSign1.signDetached(key, PAYLOAD, ByteSlice.EMPTY));
    assertThat(message.hasPayload()).isFalse();
    message.verifyDetached(key.publicKey(), ByteSlice.EMPTY, PAYLOAD);
    assertThatThrownBy(() -> message.verifyDetached(key.publicKey(), ByteSlice.EMPTY, AAD))
        .isInstanceOf(InvalidSignatureException.class);
    assertThatThrownBy(() -> message.verify(key.publicKey())).isInstanceOf(CoseException.class);
  }

  @Test
  void refusesAKeyOfAnotherAlgorithm() {
    CoseSign1 message =
        parse(CoseSign1.sign(CoseKeyTest.key(CoseAlgorithm.ES256), PAYLOAD, ByteSlice.EMPTY));
    assertThatThrownBy(() -> message.verify(CoseKeyTest.key(CoseAlgorithm.ED25519).publicKey()))
        .isInstanceOf(CoseException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "d28443a10127a04040", // tagged
        "8443a10127a1010240", // three items and an unprotected header
        "8443a10127a104414040" + "40", // unprotected header
        "8446a2012702810140" + "a04040", // broken header
        "8446a20127028101a04040", // critical header
        "8443a1012780" + "4040", // unprotected header that is no map
        "84a10127a04040", // protected header that is no byte string
        "8443a10127a0f640" + "00", // a byte more
        "8443a10127a040f6", // signature that is null
        "8544a1013822a0404040",
      })
  void refusesMessagesOfAnotherForm(String hex) {
    assertThatThrownBy(() -> parse(ByteSlice.ofHex(hex).toByteArray()))
        .isInstanceOf(AttestationException.class);
  }

  @Test
  void acceptsAHeaderThatIsNotCriticalAndSignsItAsReceived() {
    CosePrivateKey key = CoseKeyTest.key(CoseAlgorithm.ED25519);
    ByteSlice header = ByteSlice.ofHex("a21903e81907d00127");
    byte[] signature = key.sign(SigStructure.ofSign1(header, ByteSlice.EMPTY, PAYLOAD));
    byte[] message =
        new CborWriter()
            .array(4)
            .bytes(header)
            .map(0)
            .bytes(PAYLOAD)
            .bytes(signature)
            .toByteArray();
    parse(message).verify(key.publicKey());
  }

  @Test
  void refusesAMessageWithoutAnAlgorithm() {
    CosePrivateKey key = CoseKeyTest.key(CoseAlgorithm.ED25519);
    for (String hex : new String[] {"", "a0", "a1016161", "a1011863"}) {
      ByteSlice header = ByteSlice.ofHex(hex);
      byte[] signature = key.sign(SigStructure.ofSign1(header, ByteSlice.EMPTY, PAYLOAD));
      byte[] message =
          new CborWriter()
              .array(4)
              .bytes(header)
              .map(0)
              .bytes(PAYLOAD)
              .bytes(signature)
              .toByteArray();
      assertThatThrownBy(() -> parse(message).verify(key.publicKey()))
          .isInstanceOf(CoseException.class);
    }
  }

  @Test
  void signsWithSeveralKeys() {
    CosePrivateKey first = CoseKeyTest.key(CoseAlgorithm.ED25519);
    CosePrivateKey second = CoseKeyTest.key(CoseAlgorithm.ES256);
    byte[] bytes = CoseSign.sign(PAYLOAD, ByteSlice.EMPTY, List.of(first, second));
    CoseSign message = CoseSign.parse(CborReader.decode(bytes));
    assertThat(message.payload()).isEqualTo(PAYLOAD);
    message.verify(0, first.publicKey(), ByteSlice.EMPTY);
    message.verify(1, second.publicKey(), ByteSlice.EMPTY);
    assertThatThrownBy(() -> message.verify(0, second.publicKey(), ByteSlice.EMPTY))
        .isInstanceOf(CoseException.class);
    bytes[bytes.length - 1] ^= 1;
    CoseSign changed = CoseSign.parse(CborReader.decode(bytes));
    assertThatThrownBy(() -> changed.verify(1, second.publicKey(), ByteSlice.EMPTY))
        .isInstanceOf(InvalidSignatureException.class);
  }
}
