package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborInteger;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import java.math.BigInteger;
import java.util.Optional;

/**
 * A configuration descriptor of the Android Profile for DICE: a CBOR map with integer keys.
 *
 * <p>Entries of vendors and of AVF are kept as they are. Immutable and thread-safe.
 */
public final class ConfigDescriptor {
  /** The key of the component name. */
  public static final long COMPONENT_NAME = -70002;

  /** The key of the component version. */
  public static final long COMPONENT_VERSION = -70003;

  /** The key that says that a factory reset changes the layer's secrets. */
  public static final long RESETTABLE = -70004;

  /** The key of the security version. */
  public static final long SECURITY_VERSION = -70005;

  /** The key of the RKP VM marker. */
  public static final long RKP_VM_MARKER = -70006;

  /** The key of the component instance name. */
  public static final long COMPONENT_INSTANCE_NAME = -70007;

  private static final long RESERVED_LEAST = -70999;
  private static final long RESERVED_MOST = -70000;

  private final CborMap entries;

  private ConfigDescriptor(CborMap entries) {
    this.entries = entries;
  }

  /**
   * Decodes a descriptor. What only some profiles ask for is not checked here.
   *
   * @throws DiceException if it is not a map of integers, an entry has the wrong type, or a
   *     reserved key is not known
   */
  public static ConfigDescriptor decode(ByteSlice bytes) {
    try {
      CborMap map = CborReader.decode(bytes).asMap();
      for (CborMap.Entry entry : map.entries()) {
        checkEntry(entry.key(), entry.value());
      }
      return new ConfigDescriptor(map);
    } catch (DiceException e) {
      throw e;
    } catch (AttestationException e) {
      throw new DiceException(DiceRule.CONFIG_DESCRIPTOR, "configuration descriptor", e);
    }
  }

  private static void checkEntry(CborValue key, CborValue value) {
    CborInteger integer = key.asInteger();
    if (!integer.isLong()) {
      throw fault("key " + integer.bigValue() + " is beyond 64 bits", key);
    }
    long label = integer.longValue();
    if (label == COMPONENT_NAME || label == COMPONENT_INSTANCE_NAME) {
      value.asText();
    } else if (label == COMPONENT_VERSION) {
      version(value);
    } else if (label == RESETTABLE || label == RKP_VM_MARKER) {
      if (!value.isNull()) {
        throw fault("value of " + label + " must be null but is " + value.kind(), value);
      }
    } else if (label == SECURITY_VERSION) {
      value.asInteger().unsignedValue();
    } else if (label >= RESERVED_LEAST && label <= RESERVED_MOST) {
      throw fault("key " + label + " is reserved", key);
    }
  }

  private static DiceException fault(String reason, CborValue where) {
    return new DiceException(
        DiceRule.CONFIG_DESCRIPTOR, "configuration descriptor: " + reason, where.position());
  }

  private static ComponentVersion version(CborValue value) {
    return value instanceof CborInteger integer
        ? new ComponentVersion.Number(integer.longValue())
        : new ComponentVersion.Text(value.asText());
  }

  /** A builder whose entries stand in the order in which they are set. */
  public static Builder builder() {
    return new Builder();
  }

  /** The name of the component. */
  public Optional<String> componentName() {
    return entries.get(COMPONENT_NAME).map(CborValue::asText);
  }

  /** The name of the instance of the component. */
  public Optional<String> componentInstanceName() {
    return entries.get(COMPONENT_INSTANCE_NAME).map(CborValue::asText);
  }

  /** The version of the component. */
  public Optional<ComponentVersion> componentVersion() {
    return entries.get(COMPONENT_VERSION).map(ConfigDescriptor::version);
  }

  /** Whether a factory reset changes the layer's secrets. */
  public boolean isResettable() {
    return entries.get(RESETTABLE).isPresent();
  }

  /** The security version, from 0 to 2^64 - 1. */
  public Optional<BigInteger> securityVersion() {
    return entries.get(SECURITY_VERSION).map(value -> value.asInteger().bigValue());
  }

  /** Whether the layer carries the marker of the RKP VM. */
  public boolean hasRkpVmMarker() {
    return entries.get(RKP_VM_MARKER).isPresent();
  }

  /** The value of any key. */
  public Optional<CborValue> get(long key) {
    return entries.get(key);
  }

  /** All entries in their order. */
  public CborMap entries() {
    return entries;
  }

  /** The exact bytes. */
  public ByteSlice encoded() {
    return entries.encoded();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ConfigDescriptor that && entries.equals(that.entries);
  }

  @Override
  public int hashCode() {
    return entries.hashCode();
  }

  @Override
  public String toString() {
    return "ConfigDescriptor[" + entries.encoded() + "]";
  }

  /**
   * Collects entries. The reference writes name, version, resettable, security version, marker, in
   * this order; Microdroid writes its own between them. Confined to one thread.
   */
  public static final class Builder {
    private final CborMap.Builder entries = CborMap.builder();

    private Builder() {}

    /** Sets the name of the component. */
    public Builder componentName(String name) {
      return put(COMPONENT_NAME, CborValue.of(name));
    }

    /** Sets the name of the instance of the component. */
    public Builder componentInstanceName(String name) {
      return put(COMPONENT_INSTANCE_NAME, CborValue.of(name));
    }

    /** Sets the version of the component to a number. */
    public Builder componentVersion(long version) {
      return put(COMPONENT_VERSION, CborValue.of(version));
    }

    /** Sets the version of the component to text. */
    public Builder componentVersion(String version) {
      return put(COMPONENT_VERSION, CborValue.of(version));
    }

    /** Says that a factory reset changes the layer's secrets. */
    public Builder resettable() {
      return put(RESETTABLE, CborValue.ofNull());
    }

    /** Sets the security version, 64 bits unsigned. */
    public Builder securityVersion(long version) {
      return put(SECURITY_VERSION, CborInteger.ofUnsigned(version));
    }

    /** Marks the layer as one of the RKP VM. */
    public Builder rkpVmMarker() {
      return put(RKP_VM_MARKER, CborValue.ofNull());
    }

    /** Sets any entry. */
    public Builder put(long key, CborValue value) {
      entries.put(key, value);
      return this;
    }

    /** The descriptor; throws {@link AttestationException} if it would not decode. */
    public ConfigDescriptor build() {
      return decode(entries.build().encoded());
    }
  }
}
