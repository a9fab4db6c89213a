package io.github.avf4j.microdroid;

import io.github.avf4j.microdroid.image.ImageException;
import java.io.IOException;

/**
 * What every fuzz target of this module asserts: a reader gives a result or throws an {@link
 * ImageException} with a reason, and nothing else.
 *
 * <p>To fuzz: {@code JAZZER_FUZZ=1 mvn -o -pl avf-microdroid test -Dtest=XxxFuzzTest#method}; one
 * method at a time. The default build replays the files under {@code
 * src/test/resources/<package>/XxxFuzzTestInputs/<method>/}.
 */
public final class Fuzzing {
  private Fuzzing() {}

  /** A reader under test. */
  @FunctionalInterface
  public interface Reader {
    void read(byte[] data) throws IOException;
  }

  /** Calls the reader, and makes any outcome but a result or a proper refusal a finding. */
  public static void read(byte[] data, Reader reader) {
    try {
      reader.read(data);
    } catch (ImageException e) {
      if (e.reason().isEmpty() || e.position().orElse(0) > data.length) {
        throw new AssertionError("refusal without a reason or beyond the input", e);
      }
    } catch (IOException e) {
      throw new AssertionError("the range was not checked", e);
    }
  }
}
