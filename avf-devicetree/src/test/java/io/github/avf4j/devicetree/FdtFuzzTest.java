package io.github.avf4j.devicetree;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * The default build replays the seeds under {@code FdtFuzzTestInputs} of the test resources. To
 * fuzz: {@code JAZZER_FUZZ=1 mvn -o -pl avf-devicetree test -Dtest=FdtFuzzTest#method}; one method
 * at a time.
 */
class FdtFuzzTest {
  private static final DeviceTree BASE = DeviceTreeTest.sample();

  @FuzzTest(maxDuration = "5m")
  void readsTrees(byte[] data) {
    refuseOr(
        data,
        bytes -> {
          byte[] written = DeviceTree.parse(bytes).encode();
          if (!Arrays.equals(DeviceTree.parse(written).encode(), written)) {
            throw new AssertionError("what was written reads as something else");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void appliesOverlays(byte[] data) {
    refuseOr(data, bytes -> Overlay.apply(BASE, DeviceTree.parse(bytes)).encode());
  }

  /** Makes any outcome but a result or a proper refusal a finding. */
  private static void refuseOr(byte[] data, Consumer<byte[]> parser) {
    try {
      parser.accept(data.clone());
    } catch (FdtException e) {
      if (e.reason().isEmpty() || e.position().orElse(0) > data.length) {
        throw new AssertionError("refusal without a reason or beyond the input", e);
      }
    }
  }
}
