package io.github.avf4j.binder;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The objects that a session knows, and how often each was sent and received. References count
 * messages: an address that was sent twice is given back twice, or once with the amount of two.
 *
 * <p>Thread-safe.
 */
final class NodeTable {
  /** The most nodes of one session: a server can make one with 16 bytes. */
  static final int MAX_NODES = 4096;

  /** The most oneway calls of one object that wait for an earlier one. */
  private static final int MAX_QUEUE = 1024;

  /** The most bytes of such calls. */
  private static final long MAX_QUEUED_BYTES = 8 << 20;

  private final Map<Long, Node> nodes = new HashMap<>();
  private final Map<RpcService, Long> local = new IdentityHashMap<>();
  private final RpcBinder.Caller caller;
  private int nextId;
  private long queuedBytes;
  private boolean hadNodes;

  private static final class Node {
    /** Of the server; null after it was released. */
    @Nullable RpcBinder remote;

    @Nullable RpcService service;
    int stability;
    int timesSent;
    int timesReceived;

    /**
     * For objects of the server, the number of the next oneway call; else of the next that runs.
     */
    long nextNumber;

    /** Of the server: whether oneway calls were sent that it has not been seen to serve. */
    boolean onewaySent;

    boolean running;
    final Map<Long, Queued> queue = new HashMap<>();
  }

  /** A oneway call that waits for an earlier one. */
  record Queued(int code, ParcelReader data) {}

  NodeTable(RpcBinder.Caller caller) {
    this.caller = caller;
  }

  /** Whether there were objects, and all have gone. */
  synchronized boolean isOver() {
    return hadNodes && nodes.isEmpty();
  }

  /** Counts that an object is sent, and returns its address. */
  synchronized long send(RpcObject object) {
    if (object instanceof RpcBinder binder) {
      return sendTarget(binder);
    }
    RpcService service = (RpcService) object;
    Long known = local.get(service);
    long address = known != null ? known : export(service);
    node(address).timesSent++;
    return address;
  }

  /** Counts that an object is called. */
  synchronized long sendTarget(RpcBinder binder) {
    Node node = nodes.get(binder.address());
    if (node == null || node.remote != binder) {
      throw new IllegalStateException(
          "the object was closed, or is not of this session: use one of this session");
    }
    node.timesSent++;
    return binder.address();
  }

  private long export(RpcService service) {
    if (nodes.size() >= MAX_NODES) {
      throw new IllegalStateException("a session has at most " + MAX_NODES + " objects");
    }
    long address;
    do {
      address = Wire.addressOfClient(nextId++);
    } while (nodes.containsKey(address));
    Node node = new Node();
    node.service = service;
    nodes.put(address, node);
    local.put(service, address);
    hadNodes = true;
    return address;
  }

  private Node node(long address) {
    Node node = nodes.get(address);
    if (node == null) {
      throw new RpcProtocolException("the server named an object that is not there");
    }
    return node;
  }

  /** Takes back what was counted, as nothing was sent. */
  synchronized void unsend(long address) {
    Node node = nodes.get(address);
    if (node != null) {
      node.timesSent--;
      eraseIfUnused(address, node);
    }
  }

  /** The number of a oneway call that is sent. */
  synchronized long nextNumber(long address) {
    Node node = node(address);
    node.onewaySent = true;
    return node.nextNumber++;
  }

  /** Counts that an object was received in a parcel. */
  synchronized RpcObject receive(long address, int stability) {
    if (stability != 3 && stability != 12 && stability != 63) {
      throw new RpcProtocolException("the server sent an object with stability " + stability);
    }
    Node node = nodes.get(address);
    if (node == null) {
      if (!Wire.isOfServer(address)) {
        throw new RpcProtocolException("the server sent an object that is not its own");
      }
      if (nodes.size() >= MAX_NODES) {
        throw new RpcProtocolException("the server sent more than " + MAX_NODES + " objects");
      }
      node = new Node();
      node.stability = stability;
      nodes.put(address, node);
      hadNodes = true;
    }
    node.timesReceived = Math.addExact(node.timesReceived, 1);
    if (node.service != null) {
      return node.service;
    }
    if (node.stability != stability) {
      throw new RpcProtocolException("the server changed the stability of an object");
    }
    if (node.remote == null) {
      node.remote = new RpcBinder(caller, address, stability);
    }
    return node.remote;
  }

  /** Counts that the server calls an object, and returns it. */
  synchronized RpcService call(long address) {
    Node node = node(address);
    if (node.service == null) {
      throw new RpcProtocolException("the server called an object of its own");
    }
    node.timesReceived = Math.addExact(node.timesReceived, 1);
    return node.service;
  }

  /**
   * Queues a oneway call unless it is its turn; then {@link #nextOneway} says what comes after it.
   */
  synchronized boolean isTurn(long address, long number, Queued call) {
    Node node = node(address);
    if (number == node.nextNumber && !node.running) {
      node.running = true;
      return true;
    }
    long ahead = number - node.nextNumber;
    if (ahead <= 0 || ahead > MAX_QUEUE || node.queue.containsKey(number)) {
      throw new RpcProtocolException("the server numbered a oneway call " + number);
    }
    queuedBytes += call.data().remaining();
    if (queuedBytes > MAX_QUEUED_BYTES) {
      throw new RpcProtocolException("the server sent too many oneway calls ahead of their time");
    }
    node.queue.put(number, call);
    return false;
  }

  /** After a oneway call: the next one, if it is there. */
  synchronized @Nullable Queued nextOneway(long address) {
    Node node = nodes.get(address);
    if (node == null) {
      return null;
    }
    Queued next = node.queue.remove(++node.nextNumber);
    node.running = next != null;
    if (next != null) {
      queuedBytes -= next.data().remaining();
    }
    return next;
  }

  /** How many references are to be given back now, that is all. */
  synchronized int giveBack(long address) {
    Node node = nodes.get(address);
    if (node == null) {
      return 0;
    }
    int amount = node.timesReceived;
    node.timesReceived = 0;
    node.remote = null;
    eraseIfUnused(address, node);
    return amount;
  }

  /**
   * As {@link #giveBack}, unless the object was given back and received again meanwhile. A oneway
   * call may be on its way on another connection: as long as it is, nothing is given back, so that
   * the server does not forget the object before.
   */
  synchronized int release(RpcBinder binder) {
    Node node = nodes.get(binder.address());
    if (node == null || node.remote != binder) {
      return 0;
    }
    node.remote = null;
    return node.onewaySent ? 0 : giveBack(binder.address());
  }

  /** The server gives references back; returns how many are to be given back here, too. */
  synchronized int decStrong(long address, int amount) {
    Node node = node(address);
    if (amount <= 0 || amount > node.timesSent) {
      throw new RpcProtocolException(
          "the server gave " + amount + " references back but had " + node.timesSent);
    }
    node.timesSent -= amount;
    boolean served = node.timesSent == 0 && node.onewaySent;
    if (served) {
      node.onewaySent = false;
    }
    eraseIfUnused(address, node);
    return served && node.remote == null ? giveBack(address) : 0;
  }

  private void eraseIfUnused(long address, Node node) {
    if (node.timesSent == 0 && node.timesReceived == 0) {
      nodes.remove(address);
      if (node.service != null) {
        local.remove(node.service);
      }
    }
  }

  /** Forgets everything. */
  synchronized void clear() {
    nodes.clear();
    local.clear();
  }
}
