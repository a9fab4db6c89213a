package io.github.avf4j.microdroid.erofs;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Fuzzing;

class ErofsFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void readsImages(byte[] data) {
    Fuzzing.read(
        data,
        bytes -> {
          // The checksum keeps most inputs out; without the feature it is not looked at.
          if (bytes.length > 1033) {
            bytes[1032] &= (byte) ~1;
          }
          ErofsImage image = ErofsImage.open(ImageSource.of(bytes));
          image.verify();
          image.find("a/b");
        });
  }
}
