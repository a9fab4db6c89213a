package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CosePublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The certificates with which signers vouch for the root key of a chain. */
final class UdsCertificates {
  private static final int MAX_CERTIFICATES = 16;

  private UdsCertificates() {}

  /** Takes the lists apart, and verifies nothing. */
  static Map<String, List<X509Certificate>> parse(CborValue value) {
    Map<String, List<X509Certificate>> signers = new LinkedHashMap<>();
    for (CborMap.Entry entry : value.asMap().entries()) {
      List<CborValue> items = entry.value().asArray().items();
      if (items.size() > MAX_CERTIFICATES) {
        throw new RemoteAttestationException(
            "a signer must have at most " + MAX_CERTIFICATES + " certificates",
            entry.value().position());
      }
      signers.put(
          entry.key().asText(),
          items.stream().map(item -> X509Certificate.decode(item.asBytes())).toList());
    }
    return signers;
  }

  static Map<String, List<X509Certificate>> verify(
      CborValue value, CosePublicKey rootKey, Instant time) {
    Map<String, List<X509Certificate>> signers = parse(value);
    signers.forEach(
        (signer, certificates) -> verify("signer \"" + signer + "\"", certificates, rootKey, time));
    return signers;
  }

  private static void verify(
      String signer, List<X509Certificate> certificates, CosePublicKey rootKey, Instant time) {
    if (certificates.size() < 2) {
      throw fault(signer, "must have more than one certificate");
    }
    if (!certificates.get(0).isSelfIssued()) {
      throw fault(signer, "must begin with a root certificate");
    }
    List<X509Certificate> leafFirst = new ArrayList<>(certificates);
    Collections.reverse(leafFirst);
    X509Path path = new X509Path(leafFirst);
    List<String> faults = new ArrayList<>(path.names());
    faults.addAll(path.repeats());
    faults.addAll(path.signatures());
    faults.addAll(path.authorities());
    faults.addAll(path.criticalExtensions());
    faults.addAll(path.validity(time));
    if (!faults.isEmpty()) {
      throw fault(signer, faults.get(0));
    }
    CosePublicKey leaf = CosePublicKey.ofSubjectPublicKeyInfo(leafFirst.get(0).publicKey());
    if (!leaf.equals(rootKey)) {
      throw fault(signer, "vouches for another key than the root of the chain");
    }
  }

  private static RemoteAttestationException fault(String signer, String reason) {
    return new RemoteAttestationException(signer + ": " + reason, -1);
  }
}
