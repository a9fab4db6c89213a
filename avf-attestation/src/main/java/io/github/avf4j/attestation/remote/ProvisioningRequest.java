package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborArray;
import io.github.avf4j.attestation.cbor.CborException;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.dice.VerifiedDiceChain;
import java.util.List;
import java.util.Map;

/**
 * A request to a provisioning server that passed the checks of hwtrust.
 *
 * @param version 2, whose content is encrypted to a published key, or 3
 * @param chain the device's chain
 * @param deviceInfo what the device says of itself
 * @param challenge of the server
 * @param certificateType what the keys are for; empty in version 2
 * @param udsCertificates for each signer the certificates of the device's key, the root first
 * @param warnings what is accepted but should be known
 */
public record ProvisioningRequest(
    int version,
    VerifiedDiceChain chain,
    DeviceInfo deviceInfo,
    ByteSlice challenge,
    String certificateType,
    Map<String, List<X509Certificate>> udsCertificates,
    List<String> warnings) {
  private static final long PRIVATE_KEY = -4;

  /** Copies the collections. */
  public ProvisioningRequest {
    udsCertificates = Map.copyOf(udsCertificates);
    warnings = List.copyOf(warnings);
  }

  /**
   * Verifies a request.
   *
   * @throws AttestationException for the first rule that is broken
   */
  public static ProvisioningRequest verify(ByteSlice request, RequestRules rules) {
    try {
      return verifyItems(request, rules);
    } catch (CborException e) {
      throw RemoteAttestationException.about("request", e);
    }
  }

  private static ProvisioningRequest verifyItems(ByteSlice request, RequestRules rules) {
    CborArray items = CborReader.decode(request).asArray();
    if (items.size() == 0) {
      throw new RemoteAttestationException("request is an empty array", request.offset());
    }
    ProvisioningRequest verified =
        items.get(0) instanceof CborArray
            ? RequestV2.verify(items, rules)
            : RequestV3.verify(items, rules);
    if (verified.challenge().length() > AttestationExtension.MAX_CHALLENGE) {
      throw new RemoteAttestationException("challenge must have at most 64 bytes", -1);
    }
    if (rules.challenge().isPresent() && !rules.challenge().get().equals(verified.challenge())) {
      throw new RemoteAttestationException("challenge is not the one that was issued", -1);
    }
    return verified;
  }

  /** Whether a key to sign holds its private half, as test data do. */
  static boolean holdsPrivateKey(CborValue keysToSign) {
    return keysToSign.asArray().items().stream()
        .anyMatch(key -> key.asMap().get(PRIVATE_KEY).isPresent());
  }
}
