package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.cose.CoseSign1;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Writes certificates in CBOR for layers, byte for byte as open-dice does.
 *
 * @param algorithm the algorithm of the keys of the layers
 * @param profileName the name that certificates carry, or null for none
 */
public record DiceCertificateIssuer(CoseAlgorithm algorithm, @Nullable String profileName) {
  private static final byte[] KEY_CERT_SIGN = {0x20};

  /** Ed25519 without a profile name: AVF in January 2025. */
  public static final DiceCertificateIssuer NO_PROFILE =
      new DiceCertificateIssuer(CoseAlgorithm.ED25519, null);

  /** Ed25519 with a profile of Android. */
  public static DiceCertificateIssuer of(AndroidProfile profile) {
    return new DiceCertificateIssuer(CoseAlgorithm.ED25519, profile.profileName());
  }

  /**
   * Makes the certificate of the next layer.
   *
   * @param current the key of the layer that derives, which signs
   * @param next the key of the layer that is derived
   * @param input what the layer that is derived is made of
   */
  public byte[] issue(CosePrivateKey current, CosePublicKey next, DiceInput input) {
    byte[] payload = payload(DiceKeys.idText(current.publicKey()), next, input);
    return CoseSign1.sign(current, ByteSlice.takeOver(payload), ByteSlice.EMPTY);
  }

  /** The order of the entries is that of open-dice, which is not sorted. */
  private byte[] payload(String issuer, CosePublicKey next, DiceInput input) {
    Optional<ByteSlice> codeDescriptor = input.codeDescriptor();
    Optional<ByteSlice> authorityDescriptor = input.authorityDescriptor();
    boolean descriptor = input.config() instanceof DiceConfig.Descriptor;
    int entries =
        8
            + (codeDescriptor.isPresent() ? 1 : 0)
            + (descriptor ? 1 : 0)
            + (authorityDescriptor.isPresent() ? 1 : 0)
            + (profileName == null ? 0 : 1);
    CborWriter out = new CborWriter(512);
    out.map(entries);
    out.integer(DiceLabels.ISSUER).text(issuer);
    out.integer(DiceLabels.SUBJECT).text(DiceKeys.idText(next));
    out.integer(DiceLabels.CODE_HASH).bytes(input.codeHash());
    codeDescriptor.ifPresent(bytes -> out.integer(DiceLabels.CODE_DESCRIPTOR).bytes(bytes));
    if (input.config() instanceof DiceConfig.Descriptor config) {
      out.integer(DiceLabels.CONFIG_DESCRIPTOR).bytes(config.value());
      out.integer(DiceLabels.CONFIG_HASH).bytes(config.input());
    } else {
      out.integer(DiceLabels.CONFIG_DESCRIPTOR).bytes(input.config().input());
    }
    out.integer(DiceLabels.AUTHORITY_HASH).bytes(input.authorityHash());
    authorityDescriptor.ifPresent(
        bytes -> out.integer(DiceLabels.AUTHORITY_DESCRIPTOR).bytes(bytes));
    out.integer(DiceLabels.MODE).bytes(new byte[] {input.mode().value()});
    out.integer(DiceLabels.SUBJECT_PUBLIC_KEY).bytes(next.encode());
    out.integer(DiceLabels.KEY_USAGE).bytes(KEY_CERT_SIGN);
    if (profileName != null) {
      out.integer(DiceLabels.PROFILE_NAME).text(profileName);
    }
    return out.toByteArray();
  }
}
