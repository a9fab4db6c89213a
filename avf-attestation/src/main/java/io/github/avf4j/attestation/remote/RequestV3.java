package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborArray;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.RkpInstance;
import io.github.avf4j.attestation.dice.VerifiedDiceChain;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Requests of version 3: an AuthenticatedRequest of version 1 over a payload of version 3. */
final class RequestV3 {
  private static final String RKP_VM = "rkp-vm";

  private RequestV3() {}

  static ProvisioningRequest verify(CborArray items, RequestRules rules) {
    if (items.size() != 4 && items.size() != 5) {
      throw fault("request must have 4 or 5 items but has " + items.size(), items);
    }
    if (!items.get(0).asInteger().is(1)) {
      throw fault("request must be of version 1", items.get(0));
    }
    VerifiedDiceChain chain = DiceChain.parse(items.get(2)).verify(rules.chain());
    Map<String, List<X509Certificate>> udsCertificates =
        UdsCertificates.verify(items.get(1), chain.rootKey(), rules.time());
    CoseSign1 signed = CoseSign1.parse(items.get(3));
    signed.verify(chain.leafKey());
    List<CborValue> content = CborReader.decode(signed.payload()).asArray(2);
    ByteSlice challenge = content.get(0).asBytes();
    List<CborValue> payload = CborReader.decode(content.get(1).asBytes()).asArray(4);
    if (!payload.get(0).asInteger().is(3)) {
      throw fault("payload of the request must be of version 3", payload.get(0));
    }
    String type = payload.get(1).asText();
    if (type.equals(RKP_VM) != (rules.chain().instance() == RkpInstance.AVF)) {
      throw fault(
          "certificate type must be \"rkp-vm\" for instance avf and for no other", payload.get(1));
    }
    DeviceInfo info = DeviceInfo.parse(payload.get(2).asMap(), 3, rules.factory());
    List<String> warnings = new ArrayList<>();
    chain.warnings().forEach(warning -> warnings.add(warning.toString()));
    if (ProvisioningRequest.holdsPrivateKey(payload.get(3))) {
      warnings.add("a key to sign holds its private key");
    }
    return new ProvisioningRequest(3, chain, info, challenge, type, udsCertificates, warnings);
  }

  private static RemoteAttestationException fault(String reason, CborValue where) {
    return new RemoteAttestationException(reason, where.position());
  }
}
