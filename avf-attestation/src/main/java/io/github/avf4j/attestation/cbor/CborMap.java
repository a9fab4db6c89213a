package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A map in which every key occurs once, in the order of its encoding: major type 5.
 *
 * <p>A look-up walks the entries. Immutable and thread-safe.
 */
public final class CborMap extends CborValue {
  /** No entries. */
  public static final CborMap EMPTY = new CborMap(List.of(), null);

  private final List<Entry> entries;

  /**
   * One pair of a map.
   *
   * @param key the key, of any kind
   * @param value the value, of any kind
   */
  public record Entry(CborValue key, CborValue value) {}

  CborMap(List<Entry> entries, @Nullable ByteSlice encoded) {
    super(encoded);
    this.entries = entries;
  }

  /**
   * A map of these entries in this order.
   *
   * @throws CborException if a key occurs twice
   */
  public static CborMap of(List<Entry> entries) {
    return new CborMap(DuplicateKeys.refuse(List.copyOf(entries), KeyOrder.ANY), null);
  }

  /** A builder whose entries stand in the order in which they are put. */
  public static Builder builder() {
    return new Builder();
  }

  /** The entries in the order of the encoding; the list cannot be changed. */
  public List<Entry> entries() {
    return entries;
  }

  /** The number of entries. */
  public int size() {
    return entries.size();
  }

  /** The value of an integer key. */
  public Optional<CborValue> get(long key) {
    for (Entry entry : entries) {
      if (entry.key() instanceof CborInteger integer && integer.is(key)) {
        return Optional.of(entry.value());
      }
    }
    return Optional.empty();
  }

  /** The value of a text key. */
  public Optional<CborValue> get(String key) {
    for (Entry entry : entries) {
      if (entry.key() instanceof CborText text && text.value().equals(key)) {
        return Optional.of(entry.value());
      }
    }
    return Optional.empty();
  }

  /** The value of an integer key; {@code name} is what a message calls it. */
  public CborValue require(long key, String name) {
    return get(key)
        .orElseThrow(
            () -> new CborException("the map has no " + name + " (key " + key + ")", position()));
  }

  /** The value of a text key. */
  public CborValue require(String key) {
    return get(key)
        .orElseThrow(() -> new CborException("the map has no key \"" + key + "\"", position()));
  }

  /** A map of the same entries in another order; values inside stay as they are. */
  public CborMap sorted(KeyOrder order) {
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort((a, b) -> order.compare(a.key().encoded(), b.key().encoded()));
    return new CborMap(List.copyOf(sorted), null);
  }

  @Override
  public String kind() {
    return "map";
  }

  @Override
  public CborMap asMap() {
    return this;
  }

  @Override
  void writeTo(CborWriter writer) {
    writer.map(entries.size());
    for (Entry entry : entries) {
      writer.value(entry.key()).value(entry.value());
    }
  }

  /** Collects entries. Confined to one thread. */
  public static final class Builder {
    private final List<Entry> entries = new ArrayList<>();

    private Builder() {}

    /** Adds an entry with an integer key. */
    public Builder put(long key, CborValue value) {
      return put(CborValue.of(key), value);
    }

    /** Adds an entry with a text key. */
    public Builder put(String key, CborValue value) {
      return put(CborValue.of(key), value);
    }

    /** Adds an entry. */
    public Builder put(CborValue key, CborValue value) {
      entries.add(new Entry(key, value));
      return this;
    }

    /** The map; throws {@link CborException} if a key was put twice. */
    public CborMap build() {
      return CborMap.of(entries);
    }
  }
}
