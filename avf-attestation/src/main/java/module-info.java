/**
 * Verified boot, DICE, sealing and remote attestation, byte-compatible with Android.
 *
 * <p>Of avf4j it needs {@code io.github.avf4j.devicetree} only. No type of another library shows in
 * a signature.
 */
@SuppressWarnings("module") // The module that may use the internal package is not there yet.
module io.github.avf4j.attestation {
  requires com.fasterxml.jackson.core;
  requires transitive io.github.avf4j.devicetree;
  requires org.bouncycastle.provider;
  requires static transitive org.jspecify;

  exports io.github.avf4j.attestation;
  exports io.github.avf4j.attestation.avb;
  exports io.github.avf4j.attestation.cbor;
  exports io.github.avf4j.attestation.cose;
  exports io.github.avf4j.attestation.dice;
  exports io.github.avf4j.attestation.internal to
      io.github.avf4j.microdroid;
  exports io.github.avf4j.attestation.pvmfw;
  exports io.github.avf4j.attestation.remote;
  exports io.github.avf4j.attestation.seal;
  exports io.github.avf4j.attestation.verity;

  uses io.github.avf4j.attestation.seal.DeviceSecret;
}
