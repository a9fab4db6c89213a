package io.github.avf4j.attestation.dice;

/** What a DICE chain must satisfy, one value for each kind of failure. */
public enum DiceRule {
  /** The bytes have the expected structure, in CBOR and COSE. */
  STRUCTURE,
  /** Every certificate is signed with the key before it. */
  SIGNATURE,
  /** The profile name is known and in the range that is accepted. */
  PROFILE,
  /** What a certificate must hold is there. */
  REQUIRED_FIELD,
  /** The hashes of a certificate have the sizes of SHA-256, SHA-384 or SHA-512, all the same. */
  HASH_SIZE,
  /** The configuration hash is that of the configuration descriptor. */
  CONFIG_HASH,
  /** The configuration descriptor is one of the Android profile. */
  CONFIG_DESCRIPTOR,
  /** The key usage is keyCertSign and nothing else. */
  KEY_USAGE,
  /** The mode is normal. */
  MODE,
  /** The keys have forms and algorithms that the profile allows. */
  KEY,
  /** The issuer is the subject of the certificate before. */
  ISSUER,
  /** No subject occurs twice. */
  REPEATED_SUBJECT,
  /** No key occurs twice. */
  REPEATED_KEY,
  /** The markers of the RKP VM are those of the instance. */
  RKP_VM_MARKER,
  /** The chain is more than one self-signed certificate. */
  DEGENERATE,
  /** Issuers and subjects are derived from the keys. */
  DERIVED_ID
}
