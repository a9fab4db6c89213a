package io.github.avf4j.devicetree;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A node of a tree: a name, properties and subnodes, both in order. Numbers are big-endian.
 *
 * <p>Can be changed; confined to one thread while it is.
 */
public final class FdtNode {
  private static final int MAX_NAME = 255;

  private final String name;
  private final Map<String, ByteBuffer> properties = new LinkedHashMap<>();
  private final Map<String, FdtNode> children = new LinkedHashMap<>();
  // The first subnode by its name without unit address: trees are hostile, and searches many.
  private final Map<String, FdtNode> firstByBase = new HashMap<>();

  FdtNode(String name) {
    this.name = name;
  }

  /** A copy of the node and all below it. */
  FdtNode copy() {
    FdtNode copy = new FdtNode(name);
    copy.properties.putAll(properties);
    children.values().forEach(child -> copy.insert(child.copy()));
    return copy;
  }

  /** The name with unit address, as {@code memory@80000000}; empty for the root. */
  public String name() {
    return name;
  }

  /** The names of the properties in order; a view that cannot be changed. */
  public Set<String> propertyNames() {
    return Collections.unmodifiableSet(properties.keySet());
  }

  /** The subnodes in order; a view that cannot be changed. */
  public Collection<FdtNode> children() {
    return Collections.unmodifiableCollection(children.values());
  }

  /** The value of a property; a read-only big-endian view at position 0, of the caller's own. */
  public Optional<ByteBuffer> property(String property) {
    return Optional.ofNullable(properties.get(property)).map(ByteBuffer::duplicate);
  }

  /** Whether there is such a property, with any value. */
  public boolean has(String property) {
    return properties.containsKey(property);
  }

  /** A property of exactly one cell, unsigned. */
  public OptionalLong u32(String property) {
    ByteBuffer value = properties.get(property);
    return value != null && value.capacity() == 4
        ? OptionalLong.of(Integer.toUnsignedLong(value.getInt(0)))
        : OptionalLong.empty();
  }

  /** A property of one cell (unsigned) or two. */
  public OptionalLong u32OrU64(String property) {
    ByteBuffer value = properties.get(property);
    return value != null && value.capacity() == 8
        ? OptionalLong.of(value.getLong(0))
        : u32(property);
  }

  /** All cells of a property; absent if it is missing or its size is no multiple of 4. */
  public Optional<int[]> cells(String property) {
    ByteBuffer value = properties.get(property);
    if (value == null || value.capacity() % 4 != 0) {
      return Optional.empty();
    }
    int[] cells = new int[value.capacity() / 4];
    value.asIntBuffer().get(cells);
    return Optional.of(cells);
  }

  /** The text of a property, which one NUL must end; each byte is one char, U+0000 to U+00FF. */
  public Optional<String> string(String property) {
    List<String> all = strings(property);
    return all.size() == 1 ? Optional.of(all.get(0)) : Optional.empty();
  }

  /**
   * The texts of a property, each ended by NUL; empty if it is missing or is no such list. Each
   * byte is one char, so that {@link #setStrings} gives back what was read, whatever its encoding.
   */
  public List<String> strings(String property) {
    ByteBuffer value = properties.get(property);
    int end = value == null ? -1 : value.capacity() - 1;
    if (value == null || end < 0 || value.get(end) != 0) {
      return List.of();
    }
    String text = StandardCharsets.ISO_8859_1.decode(value.slice(0, end)).toString();
    return List.of(text.split("\0", -1));
  }

  /** Whether one of the texts of {@code compatible} is this one. */
  public boolean isCompatible(String compatible) {
    return strings("compatible").contains(compatible);
  }

  /** The phandle, by its present or its old name. */
  public OptionalInt phandle() {
    OptionalLong value = u32("phandle");
    if (value.isEmpty()) {
      value = u32("linux,phandle");
    }
    return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
  }

  /**
   * Sets a property to a copy of these bytes; one that exists keeps its place.
   *
   * @throws FdtException if the name is none
   */
  public FdtNode set(String property, byte[] value) {
    return setOwned(property, value.clone());
  }

  /**
   * Sets a property to a copy of what remains in the buffer, whose position stays; one that exists
   * keeps its place.
   *
   * @throws FdtException if the name is none
   */
  public FdtNode set(String property, ByteBuffer value) {
    byte[] copy = new byte[value.remaining()];
    value.duplicate().get(copy);
    return setOwned(property, copy);
  }

  /** Sets all properties that another node has, in its order; those that exist keep their place. */
  public FdtNode setAll(FdtNode from) {
    properties.putAll(from.properties);
    return this;
  }

  /** Sets a property to an array that nobody writes to from now on. */
  FdtNode setOwned(String property, byte[] value) {
    return setView(property, ByteBuffer.wrap(value).asReadOnlyBuffer());
  }

  /** Sets a property to a read-only view of bytes that never change. */
  FdtNode setView(String property, ByteBuffer value) {
    checkName(property, "property");
    properties.put(property, value);
    return this;
  }

  /** Sets a property without value. */
  public FdtNode setEmpty(String property) {
    return setOwned(property, new byte[0]);
  }

  /** Sets a property of cells. */
  public FdtNode setU32(String property, int... cells) {
    ByteBuffer bytes = ByteBuffer.allocate(cells.length * 4);
    bytes.asIntBuffer().put(cells);
    return setOwned(property, bytes.array());
  }

  /** Sets a property of pairs of cells. */
  public FdtNode setU64(String property, long... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 8);
    bytes.asLongBuffer().put(values);
    return setOwned(property, bytes.array());
  }

  /**
   * Sets a property of texts, each ended by NUL.
   *
   * @throws IllegalArgumentException if a char is NUL or above U+00FF, which is no byte
   */
  public FdtNode setStrings(String property, String... texts) {
    StringBuilder all = new StringBuilder();
    for (String text : texts) {
      if (text.chars().anyMatch(c -> c == 0 || c > 0xff)) {
        throw new IllegalArgumentException(
            "text of property \"" + property + "\" must have chars U+0001 to U+00FF");
      }
      all.append(text).append('\0');
    }
    return setOwned(property, all.toString().getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Takes a property away; nothing happens if there is none. */
  public void remove(String property) {
    properties.remove(property);
  }

  /** The subnode of this name; a name without unit address finds the first that differs in it. */
  public Optional<FdtNode> child(String childName) {
    FdtNode exact = children.get(childName);
    if (exact != null || childName.indexOf('@') >= 0) {
      return Optional.ofNullable(exact);
    }
    return Optional.ofNullable(firstByBase.get(childName));
  }

  /** The subnode of exactly this name. */
  public Optional<FdtNode> exactChild(String childName) {
    return Optional.ofNullable(children.get(childName));
  }

  /** The node at a path relative to this one; an empty path is this node. */
  public Optional<FdtNode> find(String path) {
    FdtNode node = this;
    for (String step : path.split("/")) {
      if (!step.isEmpty()) {
        Optional<FdtNode> next = node.child(step);
        if (next.isEmpty()) {
          return Optional.empty();
        }
        node = next.get();
      }
    }
    return Optional.of(node);
  }

  /**
   * Adds a subnode.
   *
   * @throws FdtException if there is one of exactly this name
   */
  public FdtNode add(String childName) {
    checkName(childName, "node");
    if (children.containsKey(childName)) {
      throw new FdtException("node \"" + childName + "\" occurs twice");
    }
    FdtNode child = new FdtNode(childName);
    insert(child);
    return child;
  }

  private void insert(FdtNode child) {
    children.put(child.name, child);
    firstByBase.putIfAbsent(baseName(child.name), child);
  }

  private static String baseName(String full) {
    int at = full.indexOf('@');
    return at < 0 ? full : full.substring(0, at);
  }

  /** The subnode of exactly this name, made if there is none. */
  public FdtNode childOrNew(String childName) {
    FdtNode child = children.get(childName);
    return child == null ? add(childName) : child;
  }

  /** Takes the subnode of exactly this name away; nothing happens if there is none. */
  public void removeChild(String childName) {
    FdtNode removed = children.remove(childName);
    String base = baseName(childName);
    if (removed != null && firstByBase.remove(base, removed)) {
      children.values().stream()
          .filter(child -> baseName(child.name).equals(base))
          .findFirst()
          .ifPresent(next -> firstByBase.put(base, next));
    }
  }

  static void checkName(String name, String kind) {
    boolean ok = !name.isEmpty() && name.length() <= MAX_NAME;
    for (int i = 0; i < name.length() && ok; i++) {
      char c = name.charAt(i);
      ok = c > ' ' && c < 0x7f && c != '/';
    }
    if (!ok) {
      throw new FdtException(
          "a " + kind + " name has 1 to 255 printable ASCII characters without \"/\" and space");
    }
  }

  @Override
  public String toString() {
    return "FdtNode[" + name + ", " + properties.size() + " properties]";
  }
}
