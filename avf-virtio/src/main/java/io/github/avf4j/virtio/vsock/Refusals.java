package io.github.avf4j.virtio.vsock;

import java.util.Arrays;

/**
 * RST packets that wait for room in the rx queue: keys and types only.
 *
 * <p>What the guest provokes is held back before it comes to {@link #HIGH_WATER}; what the host
 * itself resets may fill the rest and is dropped beyond, as the guest has then not read for long.
 * Guarded by the device's lock.
 */
final class Refusals {
  /** From here on the device takes no packet of the guest that may need an answer. */
  static final int HIGH_WATER = 256;

  private static final int MAX = 2048;
  private static final int FIRST_CAPACITY = 8;

  private long[] keys = new long[FIRST_CAPACITY];
  private short[] types = new short[FIRST_CAPACITY];
  private int head;
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  boolean isHigh() {
    return size >= HIGH_WATER;
  }

  int size() {
    return size;
  }

  void add(long key, int type) {
    if (size == MAX) {
      return;
    }
    if (size == keys.length) {
      grow();
    }
    int tail = head + size++ & keys.length - 1;
    keys[tail] = key;
    types[tail] = (short) type;
  }

  long key() {
    return keys[head];
  }

  int type() {
    return types[head] & 0xffff;
  }

  void remove() {
    head = head + 1 & keys.length - 1;
    size--;
  }

  void clear() {
    keys = new long[FIRST_CAPACITY];
    types = new short[FIRST_CAPACITY];
    head = 0;
    size = 0;
  }

  private void grow() {
    long[] moreKeys = Arrays.copyOf(keys, size * 2);
    short[] moreTypes = Arrays.copyOf(types, size * 2);
    for (int i = 0; i < size; i++) {
      moreKeys[i] = keys[head + i & size - 1];
      moreTypes[i] = types[head + i & size - 1];
    }
    keys = moreKeys;
    types = moreTypes;
    head = 0;
  }
}
