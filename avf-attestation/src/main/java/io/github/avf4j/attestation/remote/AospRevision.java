package io.github.avf4j.attestation.remote;

/** The states of AOSP that differ in what this package writes and accepts. */
public enum AospRevision {
  /** 11 January 2025. */
  JANUARY_2025,
  /** 26 March 2025. */
  MARCH_2025;

  /** The certificate type in requests of the RKP VM. */
  public String rkpVmCertificateType() {
    return this == JANUARY_2025 ? "keymint" : "rkp-vm";
  }

  /** Whether the payload's descriptor ends with a security version of 0. */
  boolean payloadHasSecurityVersion() {
    return this == MARCH_2025;
  }

  /** Whether a hash in a client's chain may have this length, in bytes. */
  boolean acceptsHashSize(int size) {
    return size == 64 || this == MARCH_2025 && (size == 32 || size == 48);
  }
}
