package io.github.avf4j.virtio.vsock;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Connections by key, in open addressing so that a look-up allocates nothing.
 *
 * <p>The guest chooses keys; a random multiplier keeps it from choosing where they go. Guarded by
 * the device's lock.
 */
final class ConnectionTable {
  private static final int FIRST_CAPACITY = 16;

  private final long multiplier = ThreadLocalRandom.current().nextLong() | 1;
  private @Nullable Connection[] slots = new Connection[FIRST_CAPACITY];
  private int size;

  int size() {
    return size;
  }

  @Nullable Connection get(long key) {
    for (int i = home(key); ; i = i + 1 & slots.length - 1) {
      Connection candidate = slots[i];
      if (candidate == null || candidate.key == key) {
        return candidate;
      }
    }
  }

  /** Adds a connection whose key is not there yet. */
  void add(Connection connection) {
    if (++size * 2 > slots.length) {
      @Nullable Connection[] old = slots;
      slots = new Connection[old.length * 2];
      for (Connection other : old) {
        if (other != null) {
          place(other);
        }
      }
    }
    place(connection);
  }

  /** Removes a connection; false if it is not there. */
  boolean remove(Connection connection) {
    int hole = home(connection.key);
    while (slots[hole] != connection) {
      if (slots[hole] == null) {
        return false;
      }
      hole = hole + 1 & slots.length - 1;
    }
    size--;
    // Those behind the hole move up unless that would put them before their home.
    for (int i = hole + 1 & slots.length - 1; ; i = i + 1 & slots.length - 1) {
      Connection next = slots[i];
      if (next == null) {
        slots[hole] = null;
        return true;
      }
      int fromHome = i - home(next.key) & slots.length - 1;
      int fromHole = i - hole & slots.length - 1;
      if (fromHome >= fromHole) {
        slots[hole] = next;
        hole = i;
      }
    }
  }

  /** Returns all connections in no order; changes of the table do not change it. */
  List<Connection> all() {
    List<Connection> all = new ArrayList<>(size);
    for (Connection connection : slots) {
      if (connection != null) {
        all.add(connection);
      }
    }
    return all;
  }

  private void place(Connection connection) {
    int i = home(connection.key);
    while (slots[i] != null) {
      i = i + 1 & slots.length - 1;
    }
    slots[i] = connection;
  }

  private int home(long key) {
    return (int) (key * multiplier >>> 40) & slots.length - 1;
  }
}
