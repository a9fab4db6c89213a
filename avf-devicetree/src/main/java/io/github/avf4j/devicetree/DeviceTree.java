package io.github.avf4j.devicetree;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * A device tree: a root node and reservations of memory.
 *
 * <p>Can be changed; confined to one thread while it is.
 */
public final class DeviceTree {
  /** The most bytes that are read; pvmfw and Linux set the same limit. */
  public static final int MAX_SIZE = 2 * 1024 * 1024;

  private final FdtNode root;
  private final List<Reservation> reservations = new ArrayList<>();
  private int bootCpu;

  /**
   * Memory that an operating system leaves alone.
   *
   * @param address unsigned
   * @param size in bytes, unsigned
   */
  public record Reservation(long address, long size) {}

  /** An empty tree. */
  public DeviceTree() {
    this(new FdtNode(""));
  }

  DeviceTree(FdtNode root) {
    this.root = root;
  }

  /**
   * Reads a tree; bytes after its total size are ignored.
   *
   * <p>Takes at most 64 levels, 65536 nodes and properties, and {@link #MAX_SIZE} bytes. Values are
   * not copied: nobody may write to the array from now on.
   *
   * @throws FdtException if the bytes are no such tree
   */
  public static DeviceTree parse(byte[] bytes) {
    return new FdtReader(bytes).read();
  }

  /** Writes the tree. */
  public byte[] encode() {
    return FdtWriter.write(this);
  }

  /** A copy that can be changed on its own. */
  public DeviceTree copy() {
    DeviceTree copy = new DeviceTree(root.copy());
    copy.reservations.addAll(reservations);
    copy.bootCpu = bootCpu;
    return copy;
  }

  /** The root node. */
  public FdtNode root() {
    return root;
  }

  /** The reservations; a view that cannot be changed. */
  public List<Reservation> reservations() {
    return Collections.unmodifiableList(reservations);
  }

  /** Adds a reservation. */
  public void reserve(long address, long size) {
    reservations.add(new Reservation(address, size));
  }

  /** The physical id of the CPU that boots. */
  public int bootCpu() {
    return bootCpu;
  }

  /** Sets the physical id of the CPU that boots. */
  public void bootCpu(int id) {
    this.bootCpu = id;
  }

  /** The node at an absolute path, as {@code /chosen}. Aliases are not followed. */
  public Optional<FdtNode> node(String path) {
    return path.startsWith("/") ? root.find(path) : Optional.empty();
  }

  /** All nodes, a parent before its children. */
  public List<FdtNode> nodes() {
    List<FdtNode> all = new ArrayList<>();
    Deque<FdtNode> open = new ArrayDeque<>(List.of(root));
    while (!open.isEmpty()) {
      FdtNode node = open.pop();
      all.add(node);
      List<FdtNode> children = new ArrayList<>(node.children());
      for (int i = children.size() - 1; i >= 0; i--) {
        open.push(children.get(i));
      }
    }
    return all;
  }

  /** The nodes that are compatible with this text, in order. */
  public List<FdtNode> compatible(String text) {
    return nodes().stream().filter(node -> node.isCompatible(text)).toList();
  }

  /** The node with this phandle. */
  public Optional<FdtNode> byPhandle(int phandle) {
    return nodes().stream()
        .filter(node -> node.phandle().isPresent() && node.phandle().getAsInt() == phandle)
        .findFirst();
  }
}
