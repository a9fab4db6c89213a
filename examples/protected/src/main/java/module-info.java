/** An example: a payload in a machine whose memory the host cannot read. */
module io.github.avf4j.examples.protect {
  requires io.github.avf4j.api;
  requires io.github.avf4j.attestation;
  requires io.github.avf4j.microdroid;
  requires static transitive org.jspecify;
}
