package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * A chain of certificates, the leaf first, and what can be wrong with it (RFC 5280, section 6, as
 * far as it applies: no policies, no name constraints, names equal when their bytes are).
 *
 * <p>Every method gives one sentence fragment for each fault, none if all is right. Immutable and
 * thread-safe.
 */
final class X509Path {
  private final List<X509Certificate> certificates;

  X509Path(List<X509Certificate> certificates) {
    this.certificates = List.copyOf(certificates);
  }

  /** Certificates whose issuer is not the subject above. */
  List<String> names() {
    return pairs(
        (lower, upper) ->
            lower.issuer().equals(upper.subject())
                ? ""
                : "has an issuer that is not the next subject");
  }

  /**
   * Certificates that are not signed with the key above; the last one with its own if self-issued.
   */
  List<String> signatures() {
    List<String> faults =
        pairs((lower, upper) -> X509Signatures.fault(lower, upper.publicKey()).orElse(""));
    int last = certificates.size() - 1;
    X509Certificate root = certificates.get(last);
    if (root.isSelfIssued()) {
      X509Signatures.fault(root, root.publicKey())
          .ifPresent(why -> faults.add(name(last) + " " + why));
    }
    return faults;
  }

  /** Certificates whose subject occurs before, so that the path could be shorter. */
  List<String> repeats() {
    List<String> faults = new ArrayList<>();
    Set<ByteSlice> subjects = new HashSet<>();
    for (int i = 0; i < certificates.size(); i++) {
      if (!subjects.add(certificates.get(i).subject())) {
        faults.add(name(i) + " has a subject that occurs before");
      }
    }
    return faults;
  }

  /** Issuers that must not issue. */
  List<String> authorities() {
    List<String> faults = new ArrayList<>();
    int below = 0;
    for (int i = 1; i < certificates.size(); i++) {
      X509Certificate issuer = certificates.get(i);
      if (!issuer.isAuthority()) {
        faults.add(name(i) + " has no basic constraints that make it an authority");
      }
      if (!issuer.mayCertify()) {
        faults.add(name(i) + " has a key usage without keyCertSign");
      }
      if (below > issuer.pathLength()) {
        faults.add(name(i) + " allows fewer authorities below it than there are");
      }
      if (!issuer.isSelfIssued()) {
        below++;
      }
    }
    return faults;
  }

  /** Critical extensions that are not understood. */
  List<String> criticalExtensions() {
    return each(
        certificate ->
            certificate
                .unknownCriticalExtension()
                .map(oid -> "has the critical extension " + oid + ", which is not known")
                .orElse(""));
  }

  /** Certificates that are not valid at a time. */
  List<String> validity(Instant time) {
    return each(
        certificate -> {
          if (time.isBefore(certificate.notBefore())) {
            return "is valid only from " + certificate.notBefore();
          }
          return time.isAfter(certificate.notAfter().plusMillis(999))
              ? "was valid until " + certificate.notAfter()
              : "";
        });
  }

  private List<String> pairs(BiFunction<X509Certificate, X509Certificate, String> check) {
    List<String> faults = new ArrayList<>();
    for (int i = 0; i + 1 < certificates.size(); i++) {
      String why = check.apply(certificates.get(i), certificates.get(i + 1));
      if (!why.isEmpty()) {
        faults.add(name(i) + " " + why);
      }
    }
    return faults;
  }

  private List<String> each(Function<X509Certificate, String> check) {
    List<String> faults = new ArrayList<>();
    for (int i = 0; i < certificates.size(); i++) {
      String why = check.apply(certificates.get(i));
      if (!why.isEmpty()) {
        faults.add(name(i) + " " + why);
      }
    }
    return faults;
  }

  private static String name(int index) {
    return index == 0 ? "the leaf" : "certificate " + index;
  }
}
