package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.dice.DiceChain;
import java.util.List;

/** Writes the service VM's own request to the provisioning server, of version 3. Thread-safe. */
public final class RkpVmCsr {
  private static final int REQUEST_VERSION = 1;
  private static final int PAYLOAD_VERSION = 3;
  private static final int DATE = 20240202;
  private static final int MONTH = 202402;

  /** What the service VM says of its device: the constants of AVF, keys length-first. */
  private static final CborMap DEVICE_INFO =
      CborMap.builder()
          .put("brand", CborValue.of("aosp-avf"))
          .put("fused", CborValue.of(1))
          .put("model", CborValue.of("avf"))
          .put("device", CborValue.of("avf"))
          .put("product", CborValue.of("avf"))
          .put("vb_state", CborValue.of("avf"))
          .put("manufacturer", CborValue.of("aosp-avf"))
          .put("vbmeta_digest", CborValue.of(new byte[] {1}))
          .put("security_level", CborValue.of("avf"))
          .put("boot_patch_level", CborValue.of(DATE))
          .put("bootloader_state", CborValue.of("avf"))
          .put("system_patch_level", CborValue.of(MONTH))
          .put("vendor_patch_level", CborValue.of(DATE))
          .build();

  private RkpVmCsr() {}

  /**
   * Makes a request.
   *
   * @param chain of the service VM
   * @param leafKey the private key of the chain's last layer
   * @param keys whose MACs the keys to sign carry
   * @param macedKeys the keys to sign, as {@link RkpKeys#generate} made them
   * @param challenge of the server, 0 to 64 bytes
   * @param revision which certificate type is asked for
   * @throws ServiceVmException if a key is not one of this service VM
   */
  public static ByteSlice make(
      DiceChain chain,
      CosePrivateKey leafKey,
      RkpKeys keys,
      List<ByteSlice> macedKeys,
      ByteSlice challenge,
      AospRevision revision) {
    if (challenge.length() > AttestationExtension.MAX_CHALLENGE) {
      throw new IllegalArgumentException(
          "challenge must have at most 64 bytes but has " + challenge.length());
    }
    List<CosePublicKey> publicKeys = macedKeys.stream().map(keys::openMaced).toList();
    CborWriter payload = new CborWriter(512);
    payload.array(4).integer(PAYLOAD_VERSION).text(revision.rkpVmCertificateType());
    payload.value(DEVICE_INFO).array(publicKeys.size());
    publicKeys.forEach(key -> payload.encoded(key.encodeWithoutKeyOps()));
    byte[] signedPart =
        new CborWriter(512).array(2).bytes(challenge).bytes(payload.toByteArray()).toByteArray();
    byte[] signed = CoseSign1.sign(leafKey, ByteSlice.takeOver(signedPart), ByteSlice.EMPTY);
    return ByteSlice.takeOver(
        new CborWriter(chain.encoded().length() + signed.length + 16)
            .array(4)
            .integer(REQUEST_VERSION)
            .map(0)
            .encoded(chain.encoded())
            .encoded(signed)
            .toByteArray());
  }
}
