/** The second example: a relying party that decides whether to trust a virtual machine. */
module io.github.avf4j.examples.attestation {
  requires io.github.avf4j.attestation;
  requires static transitive org.jspecify;
}
