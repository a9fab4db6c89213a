package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.remote.AttestationCheck.Kind;
import io.github.avf4j.attestation.remote.AttestationCheck.Outcome;
import java.util.ArrayList;
import java.util.List;

/** Collects the outcomes of checks. Confined to one thread. */
final class CheckList {
  private final List<AttestationCheck> checks = new ArrayList<>();

  List<AttestationCheck> all() {
    return List.copyOf(checks);
  }

  void add(Kind kind, String subject, Outcome outcome, String detail) {
    checks.add(new AttestationCheck(kind, subject, outcome, detail));
  }

  void pass(Kind kind, String detail) {
    add(kind, "", Outcome.PASS, detail);
  }

  void fail(Kind kind, String detail) {
    add(kind, "", Outcome.FAIL, detail);
  }

  void skip(Kind kind, String detail) {
    add(kind, "", Outcome.SKIPPED, detail);
  }

  void check(Kind kind, boolean passed, String found, String expected) {
    check(kind, "", passed, found, expected);
  }

  void check(Kind kind, String subject, boolean passed, String found, String expected) {
    add(kind, subject, passed ? Outcome.PASS : Outcome.FAIL, passed ? found : expected);
  }

  void faults(Kind kind, List<String> faults, String found) {
    check(kind, faults.isEmpty(), found, String.join("; ", faults));
  }

  /** Skips a kind and all after it that concern the whole. */
  void skipRest(Kind first, String why) {
    for (Kind kind : Kind.values()) {
      if (kind.compareTo(first) >= 0) {
        skip(kind, why);
      }
    }
  }
}
