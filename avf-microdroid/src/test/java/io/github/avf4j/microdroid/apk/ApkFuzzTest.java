package io.github.avf4j.microdroid.apk;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;

/**
 * A parser gives a result or throws an {@link ApkException} with a reason, and nothing else.
 *
 * <p>The default build replays the files under {@code
 * src/test/resources/<package>/ApkFuzzTestInputs/<method>/}. To fuzz: {@code JAZZER_FUZZ=1 mvn -o
 * -pl avf-microdroid -am test -Dtest=ApkFuzzTest#method}; one method at a time.
 */
class ApkFuzzTest {
  @FunctionalInterface
  private interface Parser {
    void parse(byte[] data) throws IOException;
  }

  @FuzzTest(maxDuration = "5m")
  void verifiesApks(byte[] data) {
    run(data, bytes -> ApkVerifier.verify(ImageSource.of(bytes), new ApkPolicy(36, true)));
  }

  @FuzzTest(maxDuration = "5m")
  void parsesSigners(byte[] data) {
    run(
        data,
        bytes -> {
          ByteSlice block = ByteSlice.copyOf(bytes);
          Signer.parseV3(block, 0).forEach(SignerVerifier::verify);
          Signer.parseV2(block, 0).forEach(SignerVerifier::verify);
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsManifests(byte[] data) {
    run(data, bytes -> BinaryManifest.parse(ByteSlice.copyOf(bytes)));
  }

  @FuzzTest(maxDuration = "5m")
  void parsesIdsigFiles(byte[] data) {
    run(
        data,
        bytes -> {
          Idsig idsig = Idsig.parse(ImageSource.of(bytes));
          if (!ByteSlice.copyOf(bytes)
              .slice(0, (int) idsig.treeOffset())
              .contentEquals(idsig.head())) {
            throw new AssertionError("an idsig changes when it is read and written");
          }
        });
  }

  private static void run(byte[] data, Parser parser) {
    try {
      parser.parse(data);
    } catch (ApkException e) {
      if (e.reason().isEmpty() || e.position().orElse(0) > data.length) {
        throw new AssertionError("refusal without a reason or beyond the input", e);
      }
    } catch (IOException e) {
      throw new AssertionError("a range was not checked", e);
    }
  }
}
