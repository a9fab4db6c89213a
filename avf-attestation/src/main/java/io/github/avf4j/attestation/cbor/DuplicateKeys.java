package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import java.util.Arrays;
import java.util.List;

/**
 * Finds keys that occur twice, in n log n whatever the keys are: a hash table would let an attacker
 * choose keys that collide.
 */
final class DuplicateKeys {
  private DuplicateKeys() {}

  /** Returns the entries, having checked that no key occurs twice and that the order holds. */
  static List<CborMap.Entry> refuse(List<CborMap.Entry> entries, KeyOrder order) {
    boolean ascending = true;
    for (int i = 1; i < entries.size(); i++) {
      CborValue key = entries.get(i).key();
      int compared = order.compare(entries.get(i - 1).key().encoded(), key.encoded());
      if (compared == 0) {
        throw duplicate(key.encoded(), key.position());
      }
      if (compared > 0) {
        if (order != KeyOrder.ANY) {
          throw new CborException(
              "map keys are not in order: " + key.encoded() + " comes too late", key.position());
        }
        ascending = false;
      }
    }
    if (!ascending) {
      refuseUnsorted(entries);
    }
    return entries;
  }

  private static void refuseUnsorted(List<CborMap.Entry> entries) {
    CborValue[] keys = entries.stream().map(CborMap.Entry::key).toArray(CborValue[]::new);
    // Sorting is stable, so that the second of two equal keys is the one reported.
    Arrays.sort(keys, (a, b) -> a.encoded().compareTo(b.encoded()));
    for (int i = 1; i < keys.length; i++) {
      if (keys[i - 1].equals(keys[i])) {
        throw duplicate(keys[i].encoded(), keys[i].position());
      }
    }
  }

  private static CborException duplicate(ByteSlice key, long position) {
    return new CborException("map key " + key + " occurs twice", position);
  }
}
