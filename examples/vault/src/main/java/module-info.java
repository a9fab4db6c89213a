/** The third example: a signed payload with secrets, encrypted storage and attestation. */
module io.github.avf4j.examples.vault {
  requires io.github.avf4j.api;
  requires io.github.avf4j.attestation;
  requires io.github.avf4j.microdroid;
  requires static transitive org.jspecify;
}
