package io.github.avf4j.kvm.boot;

import java.util.List;

/**
 * A guest that does in kernel mode what an instruction emulator is likely to lack: it reports a
 * digit after each step, then {@code K}, or {@code F} for a failure. Thread-safe.
 *
 * @param steps what it does, in order
 */
public record ProbeProgram(List<String> steps) {
  /** Copies the steps. */
  public ProbeProgram {
    steps = List.copyOf(steps);
  }
}
