package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborInteger;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.cose.KeyOpsRule;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a DICE certificate in CBOR says: one layer of a chain.
 *
 * <p>Decoding checks types and labels, so that any certificate can be shown. What must be there,
 * and with what value, is checked by {@link DiceChain#verify}. Immutable and thread-safe.
 */
public final class DiceCertificate {
  private static final int KEY_OPS = 4;

  private final CoseSign1 message;
  private final CborMap payload;
  private final CosePublicKey subjectPublicKey;
  private final boolean integerKeyOps;
  private final @Nullable ConfigDescriptor config;
  private final @Nullable DiceException configFault;

  private DiceCertificate(CoseSign1 message) {
    this.message = message;
    this.payload = CborReader.decode(message.payload()).asMap();
    checkTypes();
    CborValue key =
        CborReader.decode(
            payload.require(DiceLabels.SUBJECT_PUBLIC_KEY, "subject public key").asBytes());
    this.subjectPublicKey = CosePublicKey.parse(key, KeyOpsRule.INTEGER_OR_ARRAY);
    this.integerKeyOps = hasIntegerKeyOps(key);
    ConfigDescriptor decoded = null;
    DiceException fault = null;
    Optional<ByteSlice> bytes = configBytes();
    if (bytes.isPresent()) {
      try {
        decoded = ConfigDescriptor.decode(bytes.get());
      } catch (DiceException e) {
        fault = e;
      }
    }
    this.config = decoded;
    this.configFault = fault;
  }

  /**
   * Takes a certificate apart without verifying its signature.
   *
   * @throws AttestationException if it is not an untagged COSE_Sign1 over a map with known labels
   *     of the right types, or has no subject public key
   */
  public static DiceCertificate parse(CborValue certificate) {
    return new DiceCertificate(CoseSign1.parse(certificate));
  }

  private void checkTypes() {
    for (CborMap.Entry entry : payload.entries()) {
      CborInteger label = entry.key().asInteger();
      if (!label.isLong() || !DiceLabels.isKnown(label.longValue())) {
        throw new DiceException(
            DiceRule.STRUCTURE, "label " + label.bigValue() + " is not known", label.position());
      }
      CborValue value = entry.value();
      switch ((int) label.longValue()) {
        case DiceLabels.ISSUER, DiceLabels.SUBJECT, DiceLabels.PROFILE_NAME -> value.asText();
        case DiceLabels.MODE -> {
          if (value instanceof CborInteger integer) {
            integer.longValue();
          } else {
            value.asBytes(1);
          }
        }
        default -> value.asBytes();
      }
    }
  }

  static boolean hasIntegerKeyOps(CborValue coseKey) {
    return coseKey.asMap().get(KEY_OPS).filter(CborInteger.class::isInstance).isPresent();
  }

  /** The signed message. */
  public CoseSign1 message() {
    return message;
  }

  /** The exact bytes of the certificate. */
  public ByteSlice encoded() {
    return message.encoded();
  }

  /** The payload as received. */
  public CborMap payload() {
    return payload;
  }

  /** Who signed: the id of the key before. */
  public Optional<String> issuer() {
    return text(DiceLabels.ISSUER);
  }

  /** Whose key is certified: its id. */
  public Optional<String> subject() {
    return text(DiceLabels.SUBJECT);
  }

  /** The hash of the code of the layer. */
  public Optional<ByteSlice> codeHash() {
    return bytes(DiceLabels.CODE_HASH);
  }

  /** More about the code. */
  public Optional<ByteSlice> codeDescriptor() {
    return bytes(DiceLabels.CODE_DESCRIPTOR);
  }

  /** The bytes of the configuration descriptor, or the 64 bytes of an inline configuration. */
  public Optional<ByteSlice> configBytes() {
    return bytes(DiceLabels.CONFIG_DESCRIPTOR);
  }

  /** The configuration descriptor, where the bytes are one of the Android profile. */
  public Optional<ConfigDescriptor> config() {
    return Optional.ofNullable(config);
  }

  /** Why the configuration is not a descriptor of the Android profile. */
  public Optional<DiceException> configFault() {
    return Optional.ofNullable(configFault);
  }

  /** The hash of the configuration descriptor. */
  public Optional<ByteSlice> configHash() {
    return bytes(DiceLabels.CONFIG_HASH);
  }

  /** The hash of the authority of the layer: of the key that its code is signed with. */
  public Optional<ByteSlice> authorityHash() {
    return bytes(DiceLabels.AUTHORITY_HASH);
  }

  /** More about the authority. */
  public Optional<ByteSlice> authorityDescriptor() {
    return bytes(DiceLabels.AUTHORITY_DESCRIPTOR);
  }

  /** The mode; a missing one means {@link DiceMode#NOT_CONFIGURED}. */
  public DiceMode mode() {
    return payload
        .get(DiceLabels.MODE)
        .map(
            mode ->
                DiceMode.ofValue(
                    mode instanceof CborInteger integer
                        ? integer.longValue()
                        : mode.asBytes().at(0)))
        .orElse(DiceMode.NOT_CONFIGURED);
  }

  /** Whether the certificate says a mode at all. */
  public boolean hasMode() {
    return payload.get(DiceLabels.MODE).isPresent();
  }

  /** Whether the mode is an integer, which only android.14 allows. */
  public boolean hasIntegerMode() {
    return payload.get(DiceLabels.MODE).filter(CborInteger.class::isInstance).isPresent();
  }

  /** The key of the layer. */
  public CosePublicKey subjectPublicKey() {
    return subjectPublicKey;
  }

  /** Whether {@code key_ops} of the key is an integer, which only android.13 allows. */
  public boolean hasIntegerKeyOps() {
    return integerKeyOps;
  }

  /** The bits of the key usage. */
  public Optional<ByteSlice> keyUsage() {
    return bytes(DiceLabels.KEY_USAGE);
  }

  /** The name of the profile, as written. */
  public Optional<String> profileName() {
    return text(DiceLabels.PROFILE_NAME);
  }

  /** The name of the component, where the configuration has one. */
  public Optional<String> componentName() {
    return config().flatMap(ConfigDescriptor::componentName);
  }

  private Optional<String> text(int label) {
    return payload.get(label).map(CborValue::asText);
  }

  private Optional<ByteSlice> bytes(int label) {
    return payload.get(label).map(CborValue::asBytes);
  }

  /** Subject, component name and mode. */
  @Override
  public String toString() {
    return "DiceCertificate["
        + subject().orElse("no subject")
        + ", "
        + componentName().orElse("no component name")
        + ", "
        + mode()
        + "]";
  }
}
