package io.github.avf4j.attestation;

import java.util.function.Consumer;

/**
 * What every fuzz target of this module asserts: a parser gives a result or throws an {@link
 * AttestationException} with a reason, and nothing else.
 *
 * <p>The pattern: a class {@code XxxFuzzTest} next to the tests of its package, with one method per
 * parser, annotated {@code @FuzzTest(maxDuration = "5m")}, whose body is one call of {@link
 * #parse}. The default build replays the files under {@code
 * src/test/resources/<package>/XxxFuzzTestInputs/<method>/}, which hold the seeds and every crash
 * that was found. To fuzz: {@code JAZZER_FUZZ=1 mvn -o -pl avf-attestation test
 * -Dtest=XxxFuzzTest#method}; one method at a time.
 */
public final class Fuzzing {
  private Fuzzing() {}

  /** Calls the parser, and makes any outcome but a result or a proper refusal a finding. */
  public static void parse(byte[] data, Consumer<byte[]> parser) {
    try {
      parser.accept(data);
    } catch (AttestationException e) {
      if (e.reason().isEmpty() || e.position().orElse(0) > data.length) {
        throw new AssertionError("refusal without a reason or beyond the input", e);
      }
    }
  }
}
