package io.github.avf4j.attestation.avb;

import java.util.List;

/**
 * Every check of an image, in order, with what was found. Immutable and thread-safe.
 *
 * @param checks at least one
 */
public record ImageReport(List<Check> checks) {
  /**
   * One check.
   *
   * @param subject what was checked
   * @param passed whether it holds
   * @param detail what was found, in words
   */
  public record Check(String subject, boolean passed, String detail) {
    static Check passed(String subject, String detail) {
      return new Check(subject, true, detail);
    }

    static Check failed(String subject, String detail) {
      return new Check(subject, false, detail);
    }

    @Override
    public String toString() {
      return subject + ": " + (passed ? "ok, " : "FAILED, ") + detail;
    }
  }

  /** Copies the list. */
  public ImageReport {
    checks = List.copyOf(checks);
  }

  /** Whether all checks passed. */
  public boolean isOk() {
    return !checks.isEmpty() && checks.stream().allMatch(Check::passed);
  }

  /** The first check that failed, or the last one if all passed. */
  public Check decisive() {
    return checks.stream()
        .filter(check -> !check.passed())
        .findFirst()
        .orElseGet(() -> checks.get(checks.size() - 1));
  }
}
