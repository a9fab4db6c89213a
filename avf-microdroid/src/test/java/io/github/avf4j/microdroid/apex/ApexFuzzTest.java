package io.github.avf4j.microdroid.apex;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;

/**
 * A reader gives a result or throws an {@link ApexException} with a reason, and nothing else.
 *
 * <p>To fuzz: {@code JAZZER_FUZZ=1 mvn -o -pl avf-microdroid -am test -Dtest=ApexFuzzTest#method};
 * one method at a time.
 */
class ApexFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void verifiesApexes(byte[] data) throws IOException {
    Apexes.outcome(data, false);
  }

  @FuzzTest(maxDuration = "5m")
  void readsManifests(byte[] data) {
    ApexManifest manifest;
    try {
      manifest = ApexManifest.parse(ByteSlice.copyOf(data));
    } catch (ApexException e) {
      return;
    }
    if (!ApexManifest.parse(ByteSlice.takeOver(manifest.encode())).equals(manifest)) {
      throw new AssertionError("a manifest changes when it is written and read");
    }
  }

  /** What stands behind the signature: a payload whose AVB structures are another's. */
  @FuzzTest(maxDuration = "5m")
  void readsPayloads(byte[] data) throws IOException {
    try {
      ApexPayload.read(ImageSource.of(data), 4096);
    } catch (ApexException e) {
      if (e.reason().isEmpty()) {
        throw new AssertionError("refusal without a reason", e);
      }
    }
  }
}
