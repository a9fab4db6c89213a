package io.github.avf4j.virtio.vsock;

import org.jspecify.annotations.Nullable;

/**
 * Connections that have something to send, in turn; linked through themselves, so that any can
 * leave at once and nothing is allocated. Guarded by the device's lock.
 */
final class SendQueue {
  private @Nullable Connection first;
  private @Nullable Connection last;

  @Nullable Connection first() {
    return first;
  }

  /** Appends a connection unless it is in the queue already. */
  void add(Connection connection) {
    if (connection.queued) {
      return;
    }
    connection.queued = true;
    connection.previousToSend = last;
    if (last == null) {
      first = connection;
    } else {
      last.nextToSend = connection;
    }
    last = connection;
  }

  /** Removes a connection if it is in the queue. */
  void remove(Connection connection) {
    if (!connection.queued) {
      return;
    }
    Connection next = connection.nextToSend;
    Connection previous = connection.previousToSend;
    if (previous == null) {
      first = next;
    } else {
      previous.nextToSend = next;
    }
    if (next == null) {
      last = previous;
    } else {
      next.previousToSend = previous;
    }
    connection.queued = false;
    connection.nextToSend = null;
    connection.previousToSend = null;
  }

  /** Lets the others have their turn before {@code connection}, if it is the first. */
  void rotate(Connection connection) {
    if (first == connection && first != last) {
      remove(connection);
      add(connection);
    }
  }
}
