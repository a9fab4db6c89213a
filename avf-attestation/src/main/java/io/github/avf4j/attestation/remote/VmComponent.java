package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborArray;
import io.github.avf4j.attestation.cbor.CborInteger;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import java.math.BigInteger;
import java.util.List;

/**
 * A part of a machine's payload: an APK or an APEX.
 *
 * @param name {@code apk:} and the package, or {@code apex:} and the name of the manifest
 * @param securityVersion its version, from 0 to 2^64 - 1
 * @param codeHash the root hash of its content
 * @param authorityHash the SHA-512 of the certificate or key that it is signed with
 */
public record VmComponent(
    String name, BigInteger securityVersion, ByteSlice codeHash, ByteSlice authorityHash) {
  static final long SUBCOMPONENTS = -71002;

  private static final int NAME = 1;
  private static final int VERSION = 2;
  private static final int CODE_HASH = 3;
  private static final int AUTHORITY_HASH = 4;

  /** Checks the range of the version. */
  public VmComponent {
    if (securityVersion.signum() < 0 || securityVersion.bitLength() > 64) {
      throw new RemoteAttestationException(
          "version of component must be in 0..2^64-1 but is " + securityVersion, -1);
    }
  }

  /**
   * The subcomponents that a payload's descriptor lists, in its order; none where it has no list.
   *
   * @throws io.github.avf4j.attestation.AttestationException if an entry lacks a field or has an
   *     unknown one
   */
  public static List<VmComponent> of(ConfigDescriptor payload) {
    return payload
        .get(SUBCOMPONENTS)
        .map(list -> list.asArray().items().stream().map(VmComponent::parse).toList())
        .orElse(List.of());
  }

  private static VmComponent parse(CborValue value) {
    CborMap map = value.asMap();
    if (map.size() != 4) {
      throw new RemoteAttestationException(
          "subcomponent must have exactly 4 fields but has " + map.size(), value.position());
    }
    CborInteger version = map.require(VERSION, "version").asInteger();
    version.unsignedValue();
    return new VmComponent(
        map.require(NAME, "name").asText(),
        version.bigValue(),
        map.require(CODE_HASH, "code hash").asBytes(),
        map.require(AUTHORITY_HASH, "authority hash").asBytes());
  }

  static CborArray list(List<VmComponent> components) {
    return CborArray.of(components.stream().map(VmComponent::toCbor).toList());
  }

  private CborMap toCbor() {
    return CborMap.builder()
        .put(NAME, CborValue.of(name))
        .put(VERSION, CborInteger.ofUnsigned(securityVersion.longValue()))
        .put(CODE_HASH, CborValue.of(codeHash))
        .put(AUTHORITY_HASH, CborValue.of(authorityHash))
        .build();
  }
}
