package io.github.avf4j.devicetree;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Writes a flattened tree of version 17, in the layout of dtc. Used once. */
final class FdtWriter {
  private static final int HEADER = 40;

  private final ByteArrayOutputStream structure = new ByteArrayOutputStream();
  private final StringBuilder strings = new StringBuilder();
  private final Map<String, Integer> known = new HashMap<>();

  private FdtWriter() {}

  static byte[] write(DeviceTree tree) {
    FdtWriter writer = new FdtWriter();
    writer.node(tree.root());
    writer.u32(FdtReader.END);
    byte[] body = writer.structure.toByteArray();
    byte[] names = writer.strings.toString().getBytes(StandardCharsets.ISO_8859_1);
    int structAt = HEADER + 16 * (tree.reservations().size() + 1);
    int stringsAt = structAt + body.length;
    int size = stringsAt + names.length;
    if (size > DeviceTree.MAX_SIZE) {
      throw new FdtException(
          "a device tree has at most %d bytes but this would have %d"
              .formatted(DeviceTree.MAX_SIZE, size));
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    out.putInt(FdtReader.MAGIC).putInt(size).putInt(structAt).putInt(stringsAt).putInt(HEADER);
    out.putInt(17).putInt(16).putInt(tree.bootCpu()).putInt(names.length).putInt(body.length);
    for (DeviceTree.Reservation reservation : tree.reservations()) {
      out.putLong(reservation.address()).putLong(reservation.size());
    }
    out.putLong(0).putLong(0).put(body).put(names);
    return out.array();
  }

  // Depth is bounded by what can be read, and by the code that builds trees.
  private void node(FdtNode node) {
    u32(FdtReader.BEGIN_NODE);
    byte[] name = node.name().getBytes(StandardCharsets.ISO_8859_1);
    structure.write(name, 0, name.length);
    structure.write(0);
    pad();
    for (String property : node.propertyNames()) {
      property(property, node.property(property).orElseThrow());
    }
    node.children().forEach(this::node);
    u32(FdtReader.END_NODE);
  }

  private void property(String name, ByteBuffer value) {
    u32(FdtReader.PROPERTY);
    u32(value.remaining());
    u32(stringAt(name));
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    structure.write(bytes, 0, bytes.length);
    pad();
  }

  // Like dtc, a name that is the end of an earlier one shares its bytes.
  private int stringAt(String name) {
    Integer at = known.get(name);
    if (at != null) {
      return at;
    }
    int start = strings.length();
    strings.append(name).append('\0');
    for (int i = 0; i < name.length(); i++) {
      known.putIfAbsent(name.substring(i), start + i);
    }
    return start;
  }

  private void u32(int value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      structure.write(value >>> shift);
    }
  }

  private void pad() {
    while (structure.size() % 4 != 0) {
      structure.write(0);
    }
  }
}
