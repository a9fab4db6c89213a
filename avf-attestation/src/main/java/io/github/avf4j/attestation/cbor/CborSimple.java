package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import org.jspecify.annotations.Nullable;

/** False, true, null, undefined or another simple value: major type 7. Immutable. */
public final class CborSimple extends CborValue {
  /** False. */
  public static final CborSimple FALSE = new CborSimple(20, null);

  /** True. */
  public static final CborSimple TRUE = new CborSimple(21, null);

  /** Null. */
  public static final CborSimple NULL = new CborSimple(22, null);

  private final int value;

  CborSimple(int value, @Nullable ByteSlice encoded) {
    super(encoded);
    this.value = value;
  }

  /** The number of the simple value, 0..23 or 32..255. */
  public int value() {
    return value;
  }

  @Override
  public boolean isNull() {
    return value == 22;
  }

  @Override
  public boolean asBoolean() {
    return value == 20 || value == 21 ? value == 21 : super.asBoolean();
  }

  @Override
  public String kind() {
    return switch (value) {
      case 20 -> "false";
      case 21 -> "true";
      case 22 -> "null";
      case 23 -> "undefined";
      default -> "simple value " + value;
    };
  }

  @Override
  void writeTo(CborWriter writer) {
    writer.head(7, value);
  }
}
