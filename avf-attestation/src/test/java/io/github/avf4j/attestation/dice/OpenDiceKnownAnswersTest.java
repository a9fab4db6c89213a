package io.github.avf4j.attestation.dice;

import static io.github.avf4j.attestation.Vectors.hex;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.internal.Digests;
import io.github.avf4j.attestation.internal.Hkdf;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The published test values of open-dice, byte for byte. */
class OpenDiceKnownAnswersTest {
  private static final JsonNode ANSWERS = Vectors.json("open-dice/known_answers.json");

  private static SecretBytes secret(ByteSlice bytes) {
    return SecretBytes.takeOver(bytes.toByteArray());
  }

  private static ByteSlice open(SecretBytes secret) {
    return ByteSlice.takeOver(secret.toByteArray());
  }

  private static DiceInput input(JsonNode inputs) {
    DiceInput.Builder builder =
        DiceInput.builder()
            .codeHash(hex(inputs, "code_hash"))
            .authorityHash(hex(inputs, "authority_hash"))
            .mode(DiceMode.ofValue(inputs.required("mode").asInt()))
            .hidden(hex(inputs, "hidden").toByteArray());
    ByteSlice config = hex(inputs, "config_value");
    if (inputs.required("config_type").textValue().equals("inline")) {
      builder.config(new DiceConfig.Inline(config));
    } else {
      builder.config(new DiceConfig.Descriptor(config));
      builder.codeDescriptor(hex(inputs, "code_descriptor"));
      builder.authorityDescriptor(hex(inputs, "authority_descriptor"));
    }
    return builder.build();
  }

  private static Cdis cdis(JsonNode inputs) {
    return Cdis.copyOf(
        secret(hex(inputs, "current_cdi_attest")), secret(hex(inputs, "current_cdi_seal")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"ZeroInput", "HashOnlyInput", "DescriptorInput"})
  void derivesTheSecretsOfTheNextLayer(String name) {
    JsonNode answers = ANSWERS.required(name);
    DiceInput input = input(answers.required("inputs"));
    JsonNode intermediate = answers.required("intermediate_verified");
    try (Cdis next = cdis(answers.required("inputs")).next(input)) {
      assertThat(input.attestSalt()).isEqualTo(hex(intermediate, "attest_salt").toByteArray());
      assertThat(input.sealSalt()).isEqualTo(hex(intermediate, "seal_salt").toByteArray());
      assertThat(open(next.attest()))
          .isEqualTo(hex(answers.required("expected"), "next_cdi_attest"));
      assertThat(open(next.seal())).isEqualTo(hex(answers.required("expected"), "next_cdi_seal"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ZeroInput, ED25519, ed25519", "HashOnlyInput, ED25519, ed25519",
    "DescriptorInput, ED25519, ed25519", "ZeroInput, ES256, p256",
    "HashOnlyInput, ES256, p256", "DescriptorInput, ES256, p256",
    "ZeroInput, ES384, p384", "HashOnlyInput, ES384, p384",
    "DescriptorInput, ES384, p384"
  })
  void derivesKeysAndIds(String name, CoseAlgorithm algorithm, String field) {
    JsonNode answers = ANSWERS.required(name);
    JsonNode expected = answers.required("intermediate_verified").required(field);
    Cdis current = cdis(answers.required("inputs"));
    Cdis next = current.next(input(answers.required("inputs")));
    checkKey(algorithm, current, expected, "current", "issuer_id");
    checkKey(algorithm, next, expected, "next", "subject_id");
  }

  private static void checkKey(
      CoseAlgorithm algorithm, Cdis cdis, JsonNode expected, String which, String id) {
    boolean ed25519 = algorithm == CoseAlgorithm.ED25519;
    try (CosePrivateKey key = DiceKeys.keyPair(algorithm, cdis.attest())) {
      assertThat(open(key.secret()))
          .isEqualTo(hex(expected, which + (ed25519 ? "_seed" : "_private_scalar")));
      assertThat(key.publicKey().raw())
          .isEqualTo(hex(expected, which + (ed25519 ? "_public" : "_public_xy")));
      assertThat(DiceKeys.idText(key.publicKey())).isEqualTo(expected.required(id).textValue());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ZeroInput, ED25519, CborEd25519Cert_ZeroInput, ",
    "HashOnlyInput, ED25519, CborEd25519Cert_HashOnlyInput, ",
    "ZeroInput, ED25519, CborEd25519Cert_AndroidZeroInput, android.18",
    "HashOnlyInput, ED25519, CborEd25519Cert_AndroidHashOnlyInput, android.18",
    "DescriptorInput, ED25519, CborEd25519Cert_AndroidDescriptorInput, android.18",
    "ZeroInput, ES256, CborP256Cert_ZeroInput, opendice.example",
    "HashOnlyInput, ES256, CborP256Cert_HashOnlyInput, opendice.example",
    "DescriptorInput, ES256, CborP256Cert_DescriptorInput, opendice.example",
    "ZeroInput, ES256, CborP256Cert_AndroidZeroInput, android.18",
    "HashOnlyInput, ES256, CborP256Cert_AndroidHashOnlyInput, android.18",
    "DescriptorInput, ES256, CborP256Cert_AndroidDescriptorInput, android.18",
    "ZeroInput, ES384, CborP384Cert_ZeroInput, opendice.example",
    "HashOnlyInput, ES384, CborP384Cert_HashOnlyInput, opendice.example",
    "DescriptorInput, ES384, CborP384Cert_DescriptorInput, opendice.example",
    "ZeroInput, ES384, CborP384Cert_AndroidZeroInput, android.18",
    "HashOnlyInput, ES384, CborP384Cert_AndroidHashOnlyInput, android.18",
    "DescriptorInput, ES384, CborP384Cert_AndroidDescriptorInput, android.18"
  })
  void writesTheCertificate(
      String name, CoseAlgorithm algorithm, String certificate, String profile) {
    JsonNode answers = ANSWERS.required(name);
    ByteSlice expected = hex(answers.required("expected"), certificate);
    Cdis current = cdis(answers.required("inputs"));
    DiceInput input = input(answers.required("inputs"));
    Cdis next = current.next(input);
    try (CosePrivateKey key = DiceKeys.keyPair(algorithm, current.attest());
        CosePrivateKey nextKey = DiceKeys.keyPair(algorithm, next.attest())) {
      byte[] made =
          new DiceCertificateIssuer(algorithm, profile).issue(key, nextKey.publicKey(), input);
      // ECDSA signatures of the reference are random.
      int same = algorithm == CoseAlgorithm.ED25519 ? 0 : algorithm.signatureSize();
      assertThat(ByteSlice.takeOver(made).slice(0, made.length - same))
          .isEqualTo(expected.slice(0, expected.length() - same));
      CoseSign1.parse(CborReader.decode(expected)).verify(key.publicKey());
      CoseSign1.parse(CborReader.decode(made)).verify(key.publicKey());
    }
  }

  @Test
  void writesTheCertificateFilesOfTheReference() {
    for (String name :
        new String[] {
          "CborEd25519Cert_ZeroInput", "CborEd25519Cert_AndroidZeroInput",
        }) {
      assertThat(Vectors.slice("open-dice/" + name + ".cbor"))
          .isEqualTo(hex(ANSWERS.required("ZeroInput").required("expected"), name));
    }
  }

  @Test
  void makesTheMlDsaCertificateOfTheReference() {
    JsonNode inputs = ANSWERS.required("ZeroInput").required("inputs");
    Cdis current = cdis(inputs);
    Cdis next = current.next(input(inputs));
    ByteSlice expected = Vectors.slice("open-dice/CborMldsa65Cert_AndroidZeroInput.cbor");
    try (CosePrivateKey key = DiceKeys.keyPair(CoseAlgorithm.ML_DSA_65, current.attest());
        CosePrivateKey nextKey = DiceKeys.keyPair(CoseAlgorithm.ML_DSA_65, next.attest())) {
      byte[] made =
          new DiceCertificateIssuer(CoseAlgorithm.ML_DSA_65, "android.18")
              .issue(key, nextKey.publicKey(), input(inputs));
      CoseSign1 message = CoseSign1.parse(CborReader.decode(expected));
      message.verify(key.publicKey());
      assertThat(CoseSign1.parse(CborReader.decode(made)).payload()).isEqualTo(message.payload());
      // Signatures of the reference are hedged, those made here deterministic.
      CoseSign1.parse(CborReader.decode(made)).verify(key.publicKey());
    }
  }

  @Test
  void derivesTheCheckValuesOfTheText() {
    byte[] kdf = Hkdf.sha512(32, ascii("myInitialKeyMaterial"), ascii("mySalt"), ascii("myInfo"));
    assertThat(HexFormat.of().formatHex(kdf))
        .isEqualTo("919b8d29c41b93d7eb09fad7c987b0d1cc26ef078342cfa3450a57e91986ef48");
    assertThat(HexFormat.of().formatHex(DiceKeys.id(ascii("MyPubKey"))))
        .isEqualTo("7a36452c02f62becf980067587a5c1440cd3c06d");
    byte[] seed = java.util.Arrays.copyOf(Digests.sha512(ascii("MySeedString")), 32);
    try (CosePrivateKey key = DiceKeys.keyPair(CoseAlgorithm.ED25519, SecretBytes.takeOver(seed))) {
      assertThat(open(key.secret()).toHex())
          .isEqualTo("5fcc8e1ad1c2b3e9fbe168f0f698fe0deed4b518cb59702dee06e570f172026e");
      assertThat(key.publicKey().raw().toHex())
          .isEqualTo("47424bbdd723b4cdcae28edc6bfc23c9215c482147ee5bfaaf889a52f1610637");
      assertThat(open(DiceKeys.ed25519SeedAndPublicKey(key)).slice(32))
          .isEqualTo(key.publicKey().raw());
      assertThat(HexFormat.of().formatHex(key.sign(ascii("MyMessage"))))
          .isEqualTo(
              "44aecce2b99618390e610f5307bff2323d44d4f2072330853218d269b8293c26"
                  + "e60d9ca5c273cd8cb83c3e5bfd628df6c427a6e911065ab22b64f7fcbbab4a0e");
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
