package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborWriter;

/** The bytes that are signed (RFC 9052, section 4.4). */
final class SigStructure {
  private SigStructure() {}

  static byte[] ofSign1(ByteSlice protectedHeader, ByteSlice externalAad, ByteSlice payload) {
    return new CborWriter(40 + protectedHeader.length() + externalAad.length() + payload.length())
        .array(4)
        .text("Signature1")
        .bytes(protectedHeader)
        .bytes(externalAad)
        .bytes(payload)
        .toByteArray();
  }

  static byte[] ofSign(
      ByteSlice bodyProtected, ByteSlice signProtected, ByteSlice externalAad, ByteSlice payload) {
    return new CborWriter(64 + signProtected.length() + externalAad.length() + payload.length())
        .array(5)
        .text("Signature")
        .bytes(bodyProtected)
        .bytes(signProtected)
        .bytes(externalAad)
        .bytes(payload)
        .toByteArray();
  }
}
