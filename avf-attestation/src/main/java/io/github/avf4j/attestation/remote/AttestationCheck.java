package io.github.avf4j.attestation.remote;

/**
 * One thing that a verifier looked at.
 *
 * @param kind what it is
 * @param subject which component it is about; empty if it is about the whole
 * @param outcome how it went
 * @param detail what was found, and for a failure what was expected
 */
public record AttestationCheck(Kind kind, String subject, Outcome outcome, String detail) {
  /** How a check went. */
  public enum Outcome {
    /** As it must be. */
    PASS,
    /** Not as it must be: the attestation is refused. */
    FAIL,
    /** Not looked at, since a check before it failed or nothing was asked for. */
    SKIPPED
  }

  /** What is checked, in this order. */
  public enum Kind {
    /** The certificates are X.509 of version 3 in strict DER. */
    CERTIFICATES("certificates"),
    /** Each issuer is the subject of the next certificate, and no subject occurs twice. */
    CHAIN_NAMES("chain-names"),
    /** Each certificate is signed with the key of the next. */
    CHAIN_SIGNATURES("chain-signatures"),
    /** Issuers are authorities that may sign certificates. */
    CHAIN_AUTHORITIES("chain-authorities"),
    /** No critical extension is unknown. */
    CRITICAL_EXTENSIONS("critical-extensions"),
    /** All certificates are valid at the time. */
    VALIDITY("validity"),
    /** No certificate was revoked. */
    REVOCATION("revocation"),
    /** The chain ends in a root that is accepted. */
    TRUSTED_ROOT("trusted-root"),
    /** The subject of the leaf is a key of a protected virtual machine. */
    LEAF_SUBJECT("leaf-subject"),
    /** The leaf is signed with ecdsa-with-SHA256. */
    LEAF_ALGORITHM("leaf-algorithm"),
    /** The key of the leaf is of P-256. */
    LEAF_KEY("leaf-key"),
    /** The leaf holds the attestation extension, in strict DER, and no issuer does. */
    EXTENSION("extension"),
    /** The challenge is the one that was issued. */
    CHALLENGE("challenge"),
    /** The machine is not debuggable. */
    SECURE_MODE("secure-mode"),
    /** The machine says what it runs. */
    COMPONENTS("components"),
    /** A component that must be there is. */
    COMPONENT_PRESENT("component-present"),
    /** A component is signed by whom it must be. */
    COMPONENT_AUTHORITY("component-authority"),
    /** A component is at least of the version it must be. */
    COMPONENT_VERSION("component-version"),
    /** The code of a component is one that is accepted. */
    COMPONENT_CODE("component-code"),
    /** Components that the policy does not name. */
    UNLISTED_COMPONENTS("unlisted-components");

    private final String id;

    Kind(String id) {
      this.id = id;
    }

    /** The name in machine-readable results. */
    public String id() {
      return id;
    }
  }

  /** The outcome, the kind and the detail in one line. */
  @Override
  public String toString() {
    return outcome + " " + kind.id() + (subject.isEmpty() ? "" : " " + subject) + ": " + detail;
  }
}
