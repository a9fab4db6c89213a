package io.github.avf4j.attestation.cose;

/** The forms in which {@code key_ops} of a COSE_Key is accepted. */
public enum KeyOpsRule {
  /** An array, as RFC 9052 says. */
  ARRAY,
  /** An array or one integer, as Android 13 wrote it. */
  INTEGER_OR_ARRAY
}
