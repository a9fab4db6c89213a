package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborInteger;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborText;
import io.github.avf4j.attestation.cbor.CborValue;
import java.util.Optional;

/** Checks headers of messages. */
final class ProtectedHeader {
  private static final int ALG = 1;
  private static final int CRIT = 2;

  private ProtectedHeader() {}

  /** Decodes the content of the byte string; no bytes mean an empty map. */
  static CborMap decode(ByteSlice bytes) {
    CborMap map = bytes.isEmpty() ? CborMap.EMPTY : CborReader.decode(bytes).asMap();
    for (CborMap.Entry entry : map.entries()) {
      if (!(entry.key() instanceof CborInteger || entry.key() instanceof CborText)) {
        throw new CoseException("header label must be an integer or text", entry.key().position());
      }
    }
    map.get(CRIT)
        .ifPresent(
            crit -> {
              throw new CoseException("critical headers are not supported", crit.position());
            });
    return map;
  }

  /** The algorithm, where the header names one of those that are known. */
  static Optional<CoseAlgorithm> algorithm(CborMap header) {
    return header
        .get(ALG)
        .filter(alg -> alg instanceof CborInteger integer && integer.isLong())
        .flatMap(alg -> CoseAlgorithm.ofId(alg.asLong()));
  }

  static void refuseUnprotected(CborValue unprotected) {
    if (unprotected.asMap().size() > 0) {
      throw new CoseException("unprotected header must be empty", unprotected.position());
    }
  }

  static void checkAlgorithm(Optional<CoseAlgorithm> header, CosePublicKey key, long position) {
    if (header.filter(key.algorithm()::equals).isEmpty()) {
      throw new CoseException(
          "header must name the algorithm of the key, "
              + key.algorithm().coseName()
              + ", but names "
              + header.map(CoseAlgorithm::coseName).orElse("none that is known"),
          position);
    }
  }
}
