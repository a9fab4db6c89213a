package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a certificate says about the machine whose key it certifies: the value of extension {@value
 * #OID}.
 *
 * @param challenge as the relying party gave it, 0 to 64 bytes
 * @param vmSecure whether every layer of the machine's chain was in normal mode
 * @param components the parts of its payload, in their order
 */
public record AttestationExtension(
    ByteSlice challenge, boolean vmSecure, List<VmComponent> components) {
  /** The object identifier of the extension. */
  public static final String OID = "1.3.6.1.4.1.11129.2.1.29.1";

  /** The greatest length of a challenge, in bytes. */
  public static final int MAX_CHALLENGE = 64;

  private static final int LEAST_HASH = 20;
  private static final int GREATEST_HASH = 64;

  /** Copies the list and checks the length of the challenge. */
  public AttestationExtension {
    components = List.copyOf(components);
    if (challenge.length() > MAX_CHALLENGE) {
      throw new RemoteAttestationException(
          "challenge must have at most " + MAX_CHALLENGE + " bytes but has " + challenge.length(),
          challenge.offset());
    }
  }

  /** The encoding, in DER. */
  public byte[] encode() {
    byte[][] list = components.stream().map(AttestationExtension::encode).toArray(byte[][]::new);
    return Der.sequence(Der.octets(challenge), Der.bool(vmSecure), Der.sequence(list));
  }

  private static byte[] encode(VmComponent component) {
    return Der.sequence(
        Der.utf8(component.name()),
        Der.integer(component.securityVersion()),
        Der.octets(component.codeHash()),
        Der.octets(component.authorityHash()));
  }

  /**
   * Decodes a value.
   *
   * @throws RemoteAttestationException if it is not strict DER, names a component twice, or holds a
   *     hash that does not have 20 to 64 bytes
   */
  public static AttestationExtension decode(ByteSlice der) {
    DerReader reader = DerReader.only(der, DerReader.SEQUENCE, "attestation extension").open();
    ByteSlice challenge = reader.next(DerReader.OCTET_STRING, "challenge").content();
    boolean secure = reader.bool("isVmSecure");
    DerReader list = reader.next(DerReader.SEQUENCE, "list of components").open();
    reader.end("the attestation extension");
    List<VmComponent> components = new ArrayList<>();
    Set<String> names = new HashSet<>();
    while (!list.atEnd()) {
      VmComponent component = component(list.next(DerReader.SEQUENCE, "component").open());
      if (!names.add(component.name())) {
        throw new RemoteAttestationException("a component is named twice", der.offset());
      }
      components.add(component);
    }
    return new AttestationExtension(challenge, secure, components);
  }

  private static VmComponent component(DerReader reader) {
    VmComponent component =
        new VmComponent(
            reader.utf8("name of component"),
            reader.integer("version of component"),
            hash(reader, "code hash of component"),
            hash(reader, "authority hash of component"));
    reader.end("the component");
    return component;
  }

  private static ByteSlice hash(DerReader reader, String what) {
    ByteSlice hash = reader.next(DerReader.OCTET_STRING, what).content();
    if (hash.length() < LEAST_HASH || hash.length() > GREATEST_HASH) {
      throw new RemoteAttestationException(
          what + " must have 20 to 64 bytes but has " + hash.length(), hash.offset());
    }
    return hash;
  }
}
