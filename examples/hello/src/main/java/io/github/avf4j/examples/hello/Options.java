package io.github.avf4j.examples.hello;

import io.github.avf4j.DataSize;
import java.util.Optional;

/**
 * The options of {@link Hello}.
 *
 * @param backend the hypervisor that is asked for
 * @param size how much the payload gets to digest
 * @param verbose whether kernel and payload are heard, on standard error
 */
record Options(Optional<String> backend, DataSize size, boolean verbose) {
  private static final String USAGE = "usage: hello [--backend kvm|qemu] [--size 64M] [--verbose]";

  /**
   * Reads the command line.
   *
   * @throws IllegalArgumentException if it is wrong
   */
  static Options parse(String[] arguments) {
    Optional<String> backend = Optional.empty();
    DataSize size = DataSize.ofMebibytes(64);
    boolean verbose = false;
    for (int i = 0; i < arguments.length; i += 2) {
      if (arguments[i].equals("--verbose")) {
        verbose = true;
        i--;
        continue;
      }
      if (i + 1 == arguments.length) {
        throw new IllegalArgumentException(arguments[i] + " needs a value; " + USAGE);
      }
      switch (arguments[i]) {
        case "--backend" -> backend = Optional.of(arguments[i + 1]);
        case "--size" -> size = DataSize.parse(arguments[i + 1]);
        default ->
            throw new IllegalArgumentException("unknown option " + arguments[i] + "; " + USAGE);
      }
    }
    return new Options(backend, size, verbose);
  }
}
