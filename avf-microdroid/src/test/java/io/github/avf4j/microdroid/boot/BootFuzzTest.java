package io.github.avf4j.microdroid.boot;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Fuzzing;

class BootFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void readsBootImages(byte[] data) {
    Fuzzing.read(
        data,
        bytes -> {
          ImageSource source = ImageSource.of(bytes);
          BootImage image = BootImage.read(source);
          image.kernel().of(source);
          image.ramdisk().of(source);
          image.second().of(source);
          image.recoveryDtbo().of(source);
          image.dtb().of(source);
          image.signature().of(source);
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsVendorBootImages(byte[] data) {
    Fuzzing.read(
        data,
        bytes -> {
          ImageSource source = ImageSource.of(bytes);
          VendorBootImage image = VendorBootImage.read(source);
          for (VendorRamdisk ramdisk : image.ramdisks()) {
            ramdisk.part().of(source);
          }
          image.dtb().of(source);
          image.bootconfig().of(source);
        });
  }

  @FuzzTest(maxDuration = "5m")
  void readsBootconfig(byte[] data) {
    Fuzzing.read(data, bytes -> Bootconfig.find(ImageSource.of(bytes)));
  }
}
