package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;

/** The order in which the keys of a map stand. */
public enum KeyOrder {
  /** Any order; keys still occur once only. */
  ANY,
  /** Bytewise order of the encoded keys: RFC 8949, 4.2.1. */
  BYTEWISE,
  /** Shorter encodings first, then bytewise: RFC 7049, 3.9, and RFC 8949, 4.2.3. */
  LENGTH_FIRST;

  /** Compares two encoded keys; {@link #ANY} compares bytewise. */
  int compare(ByteSlice a, ByteSlice b) {
    if (this == LENGTH_FIRST && a.length() != b.length()) {
      return Integer.compare(a.length(), b.length());
    }
    return a.compareTo(b);
  }
}
