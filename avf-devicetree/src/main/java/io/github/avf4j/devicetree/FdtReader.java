package io.github.avf4j.devicetree;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/** Reads a flattened tree token by token, without recursion. Used once. */
final class FdtReader {
  static final int MAGIC = 0xd00dfeed;
  static final int BEGIN_NODE = 1;
  static final int END_NODE = 2;
  static final int PROPERTY = 3;
  static final int NOP = 4;
  static final int END = 9;

  private static final int HEADER_V16 = 36;
  static final int MAX_DEPTH = 64;
  private static final int MAX_ITEMS = 1 << 16;
  private static final int MAX_RESERVATIONS = 4096;

  private final ByteBuffer in;
  private int structEnd;
  private int stringsStart;
  private int stringsEnd;
  private int at;
  private int items;

  FdtReader(byte[] whole) {
    if (whole.length < HEADER_V16 + 4) {
      throw fault("a device tree has at least 40 bytes but here are " + whole.length, 0);
    }
    ByteBuffer head = ByteBuffer.wrap(whole);
    if (head.getInt(0) != MAGIC) {
      throw fault("the magic of a device tree is missing", 0);
    }
    long size = Integer.toUnsignedLong(head.getInt(4));
    if (size > whole.length || size > DeviceTree.MAX_SIZE || size < HEADER_V16 + 4) {
      throw fault(
          "the device tree says it has %d bytes but here are %d and at most %d are read"
              .formatted(size, whole.length, DeviceTree.MAX_SIZE),
          4);
    }
    this.in = head.slice(0, (int) size).asReadOnlyBuffer();
  }

  DeviceTree read() {
    int version = in.getInt(20);
    int lastCompatible = in.getInt(24);
    if (version < 16 || lastCompatible < 0 || lastCompatible > 17) {
      throw fault(
          "version %d (compatible to %d) is unknown".formatted(version, lastCompatible), 20);
    }
    int structStart = block("structure", 8, 4);
    stringsStart = block("strings", 12, 1);
    int stringsSize = block("strings size", 32, 1);
    structEnd = version >= 17 ? end(structStart, block("structure size", 36, 4)) : in.capacity();
    stringsEnd = end(stringsStart, stringsSize);
    at = structStart;
    DeviceTree tree = new DeviceTree(readRoot());
    tree.bootCpu(in.getInt(28));
    readReservations(tree);
    return tree;
  }

  private FdtNode readRoot() {
    if (token() != BEGIN_NODE) {
      throw fault("the structure does not begin with a node", at - 4);
    }
    if (!nodeName().isEmpty()) {
      throw fault("the root has a name", at);
    }
    FdtNode root = new FdtNode("");
    Deque<FdtNode> open = new ArrayDeque<>();
    open.push(root);
    while (!open.isEmpty()) {
      int tokenAt = at;
      switch (token()) {
        case BEGIN_NODE -> open.push(addChild(open.element(), open.size(), tokenAt));
        case END_NODE -> open.pop();
        case PROPERTY -> addProperty(open.element(), tokenAt);
        case NOP -> {}
        default -> throw fault("an unknown token", tokenAt);
      }
    }
    int last = token();
    while (last == NOP) {
      last = token();
    }
    if (last != END) {
      throw fault("the structure does not end after the root", at - 4);
    }
    return root;
  }

  private FdtNode addChild(FdtNode parent, int depth, int tokenAt) {
    if (depth >= MAX_DEPTH) {
      throw fault("more than " + MAX_DEPTH + " levels", tokenAt);
    }
    count(tokenAt);
    try {
      return parent.add(nodeName());
    } catch (FdtException e) {
      throw e.position().isPresent() ? e : fault(e.reason(), tokenAt);
    }
  }

  private void addProperty(FdtNode node, int tokenAt) {
    count(tokenAt);
    if (!node.children().isEmpty()) {
      throw fault("a property stands after a subnode", tokenAt);
    }
    long length = Integer.toUnsignedLong(token());
    long nameAt = Integer.toUnsignedLong(token());
    if (length > structEnd - at) {
      throw fault("a property of %d bytes exceeds the structure".formatted(length), tokenAt + 4);
    }
    ByteBuffer value = in.slice(at, (int) length);
    align((int) length);
    if (nameAt >= stringsEnd - stringsStart) {
      throw fault("the name of a property is not in the strings", tokenAt + 8);
    }
    String name = text(stringsStart + (int) nameAt, stringsEnd);
    if (node.has(name)) {
      throw fault("property \"" + name + "\" occurs twice", tokenAt);
    }
    try {
      node.setView(name, value);
    } catch (FdtException e) {
      throw fault(e.reason(), tokenAt);
    }
  }

  private void readReservations(DeviceTree tree) {
    int entry = block("reservations", 16, 8);
    for (int i = 0; i <= MAX_RESERVATIONS; i++) {
      if (entry > in.capacity() - 16) {
        throw fault("the reservations do not end", entry);
      }
      long address = in.getLong(entry);
      long size = in.getLong(entry + 8);
      if (address == 0 && size == 0) {
        return;
      }
      tree.reserve(address, size);
      entry += 16;
    }
    throw fault("more than " + MAX_RESERVATIONS + " reservations", entry);
  }

  private String nodeName() {
    String name = text(at, structEnd);
    align(name.length() + 1);
    return name;
  }

  private String text(int from, int limit) {
    int end = from;
    while (end < limit && in.get(end) != 0) {
      end++;
      if (end - from > 255) {
        throw fault("a name has more than 255 bytes", from);
      }
    }
    if (end == limit) {
      throw fault("a name does not end", from);
    }
    return StandardCharsets.ISO_8859_1.decode(in.slice(from, end - from)).toString();
  }

  private int token() {
    if (at > structEnd - 4) {
      throw fault("the structure ends early", at);
    }
    int token = in.getInt(at);
    at += 4;
    return token;
  }

  private void align(int length) {
    at = Math.min(structEnd, (at + length + 3) & ~3);
  }

  private void count(int where) {
    if (++items > MAX_ITEMS) {
      throw fault("more than " + MAX_ITEMS + " nodes and properties", where);
    }
  }

  private int block(String name, int fieldAt, int alignment) {
    long value = Integer.toUnsignedLong(in.getInt(fieldAt));
    if (value > in.capacity() || value % alignment != 0) {
      throw fault(
          "%s %d is beyond the end or no multiple of %d".formatted(name, value, alignment),
          fieldAt);
    }
    return (int) value;
  }

  private int end(int start, int size) {
    if (size > in.capacity() - start) {
      throw fault("a block exceeds the device tree", start);
    }
    return start + size;
  }

  private static FdtException fault(String reason, int where) {
    return new FdtException(reason, where);
  }
}
