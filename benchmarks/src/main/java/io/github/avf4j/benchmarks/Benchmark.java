package io.github.avf4j.benchmarks;

/** Measures one number against its baseline. */
interface Benchmark {
  String name();

  /** Returns the result, or throws {@link Unavailable} where it cannot be measured. */
  Result measure() throws Exception;

  /** Says why a benchmark cannot be run on this host. */
  final class Unavailable extends Exception {
    private static final long serialVersionUID = 1L;

    Unavailable(String reason) {
      super(reason);
    }
  }
}
