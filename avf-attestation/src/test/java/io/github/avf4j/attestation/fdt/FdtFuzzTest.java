package io.github.avf4j.attestation.fdt;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Fuzzing;
import java.util.Arrays;

class FdtFuzzTest {
  private static final DeviceTree BASE = DeviceTreeTest.sample();

  @FuzzTest(maxDuration = "5m")
  void readsTrees(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          byte[] written = DeviceTree.parse(ByteSlice.copyOf(bytes)).encode();
          if (!Arrays.equals(DeviceTree.parse(ByteSlice.copyOf(written)).encode(), written)) {
            throw new AssertionError("what was written reads as something else");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void appliesOverlays(byte[] data) {
    Fuzzing.parse(
        data, bytes -> Overlay.apply(BASE, DeviceTree.parse(ByteSlice.copyOf(bytes))).encode());
  }
}
