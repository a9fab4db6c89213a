package io.github.avf4j.attestation.cose;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Fuzzing;
import io.github.avf4j.attestation.cbor.CborReader;

class CoseFuzzTest {
  private static final CosePublicKey KEY =
      CosePublicKey.ofRaw(
          CoseAlgorithm.ED25519,
          ByteSlice.ofHex("6ee9a71fd3c398e6253aae6d812007675760ecf90d2d43db0d3c76087ba1daec"));

  @FuzzTest(maxDuration = "5m")
  void parsesKeys(byte[] data) {
    Fuzzing.parse(
        data, bytes -> CosePublicKey.parse(CborReader.decode(bytes), KeyOpsRule.INTEGER_OR_ARRAY));
  }

  @FuzzTest(maxDuration = "5m")
  void parsesMessages(byte[] data) {
    Fuzzing.parse(data, bytes -> CoseSign1.parse(CborReader.decode(bytes)).verify(KEY));
  }

  @FuzzTest(maxDuration = "5m")
  void parsesMessagesWithSeveralSignatures(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          CoseSign message = CoseSign.parse(CborReader.decode(bytes));
          for (int i = 0; i < message.signatureCount(); i++) {
            message.verify(i, KEY, ByteSlice.EMPTY);
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void decodesSubjectPublicKeyInfo(byte[] data) {
    Fuzzing.parse(data, bytes -> CosePublicKey.ofSubjectPublicKeyInfo(ByteSlice.copyOf(bytes)));
  }
}
