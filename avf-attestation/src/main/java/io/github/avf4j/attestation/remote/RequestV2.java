package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborArray;
import io.github.avf4j.attestation.cbor.CborLimits;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cbor.KeyOrder;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.VerifiedDiceChain;
import io.github.avf4j.attestation.internal.Aes256Gcm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Requests of version 2: device info, challenge, data that are encrypted to a published key, and
 * the keys to sign under a MAC whose key is in the encrypted data, signed by the chain.
 */
final class RequestV2 {
  private static final int KEY_ID = 4;
  private static final int IV = 5;
  private static final int EPHEMERAL_KEY = -1;
  private static final int MAX_IV = 64;
  private static final ByteSlice A256GCM_HEADER = ByteSlice.ofHex("a10103");

  private RequestV2() {}

  static ProvisioningRequest verify(CborArray request, RequestRules rules) {
    List<CborValue> items = request.asArray(4);
    List<CborValue> infos = items.get(0).asArray(2);
    CborMap verifiedInfo = infos.get(0).asMap();
    infos.get(1).asMap();
    CborReader.decode(
        verifiedInfo.encoded(), CborLimits.DEFAULT.withKeyOrder(KeyOrder.LENGTH_FIRST));
    ByteSlice challenge = items.get(1).asBytes();
    List<CborValue> mac = items.get(3).asArray(4);
    ByteSlice tag = mac.get(3).asBytes(Mac0.SIZE);

    List<CborValue> protectedData = CborReader.decode(decrypt(items.get(2))).asArray().items();
    if (protectedData.size() != 2 && protectedData.size() != 3) {
      throw fault("protected data must have 2 or 3 items", items.get(2));
    }
    VerifiedDiceChain chain = DiceChain.parse(protectedData.get(1)).verify(rules.chainOfVersion2());
    CoseSign1 signedMac = CoseSign1.parse(protectedData.get(0));
    byte[] aad =
        new CborWriter(512).array(3).bytes(challenge).value(verifiedInfo).bytes(tag).toByteArray();
    signedMac.verify(chain.leafKey(), ByteSlice.takeOver(aad));
    List<String> warnings = new ArrayList<>();
    chain.warnings().forEach(warning -> warnings.add(warning.toString()));
    checkMac(mac, signedMac.payload(), items.get(3));
    Map<String, List<X509Certificate>> udsCertificates =
        protectedData.size() == 3 ? UdsCertificates.parse(protectedData.get(2)) : Map.of();
    if (!udsCertificates.isEmpty()) {
      warnings.add("certificates of the device's key are not verified in version 2");
    }
    DeviceInfo info = DeviceInfo.parse(verifiedInfo, 2, rules.factory());
    return new ProvisioningRequest(2, chain, info, challenge, "", udsCertificates, warnings);
  }

  private static ByteSlice decrypt(CborValue message) {
    List<CborValue> items = message.asArray(4);
    ByteSlice header = items.get(0).asBytes();
    ByteSlice iv = items.get(1).asMap().require(IV, "IV").asBytes();
    if (!header.equals(A256GCM_HEADER) || iv.isEmpty() || iv.length() > MAX_IV) {
      throw fault("protected data must be encrypted with A256GCM", message);
    }
    byte[] key =
        items.get(3).asArray().items().stream()
            .map(RequestV2::contentKey)
            .flatMap(Optional::stream)
            .findFirst()
            .orElseThrow(() -> fault("protected data are for no recipient that is known", message));
    byte[] aad =
        new CborWriter(32)
            .array(3)
            .text("Encrypt")
            .bytes(header)
            .bytes(ByteSlice.EMPTY)
            .toByteArray();
    return Aes256Gcm.decrypt(key, iv.toByteArray(), aad, items.get(2).asBytes().toByteArray())
        .map(ByteSlice::takeOver)
        .orElseThrow(() -> fault("protected data do not decrypt", message));
  }

  private static Optional<byte[]> contentKey(CborValue recipient) {
    CborMap header = recipient.asArray(3).get(1).asMap();
    return header
        .get(KEY_ID)
        .map(CborValue::asBytes)
        .flatMap(EndpointEncryptionKey::ofId)
        .map(key -> key.contentKey(header.require(EPHEMERAL_KEY, "ephemeral key").asMap()));
  }

  private static void checkMac(List<CborValue> mac, ByteSlice key, CborValue where) {
    ByteSlice header = mac.get(0).asBytes();
    if (!Mac0.verify(key.toByteArray(), header, mac.get(2).asBytes(), mac.get(3).asBytes())) {
      throw fault("the MAC of the keys to sign does not verify", where);
    }
  }

  private static RemoteAttestationException fault(String reason, CborValue where) {
    return new RemoteAttestationException(reason, where.position());
  }
}
