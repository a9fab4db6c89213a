package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An array: major type 4. Immutable and thread-safe. */
public final class CborArray extends CborValue {
  private final List<CborValue> items;

  CborArray(List<CborValue> items, @Nullable ByteSlice encoded) {
    super(encoded);
    this.items = items;
  }

  /** An array of these items. */
  public static CborArray of(CborValue... items) {
    return new CborArray(List.of(items), null);
  }

  /** An array of these items. */
  public static CborArray of(List<? extends CborValue> items) {
    return new CborArray(List.copyOf(items), null);
  }

  /** The items; the list cannot be changed. */
  public List<CborValue> items() {
    return items;
  }

  /** The number of items. */
  public int size() {
    return items.size();
  }

  /** The item at an index. */
  public CborValue get(int index) {
    return items.get(index);
  }

  @Override
  public String kind() {
    return "array";
  }

  @Override
  public CborArray asArray() {
    return this;
  }

  @Override
  void writeTo(CborWriter writer) {
    writer.array(items.size());
    items.forEach(writer::value);
  }
}
