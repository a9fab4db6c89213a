package io.github.avf4j.attestation.cbor;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.Fuzzing;
import java.util.Arrays;

class CborFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void decodes(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          CborValue value = CborReader.decode(bytes);
          if (!Arrays.equals(CborDifferentialTest.reencode(value), bytes)) {
            throw new AssertionError("a decoded value encodes to other bytes");
          }
        });
  }
}
