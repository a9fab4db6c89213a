package io.github.avf4j.devicetree;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Applies a device tree overlay with the semantics of libfdt 1.7.
 *
 * <p>Phandles of the overlay are moved above those of the base, except that a node which exists in
 * the base and has one there keeps it; references follow. A fragment without {@code __overlay__} is
 * skipped, one whose target cannot be found is an error. Symbols of the overlay are added to those
 * of the base. At most 4096 references to symbols are taken, and the result has at most 64 levels.
 * Used once; confined to one thread.
 */
public final class Overlay {
  private static final int MAX_DEPTH = FdtReader.MAX_DEPTH;
  private static final int MAX_FIXUPS = 4096;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final DeviceTree tree;
  private final DeviceTree overlay;
  private final Map<Integer, Integer> phandles = new HashMap<>();
  private final Map<String, Target> targets = new LinkedHashMap<>();
  private final Map<Integer, FdtNode> baseByPhandle = new HashMap<>();
  private final Map<FdtNode, FdtNode> baseParents = new IdentityHashMap<>();
  private int delta;
  private int fixups;

  /** A node of the base, and its path where the overlay names it. */
  private record Target(FdtNode node, Optional<String> givenPath) {}

  private Overlay(DeviceTree base, DeviceTree overlay) {
    this.tree = base.copy();
    this.overlay = overlay.copy();
  }

  /**
   * Merges an overlay into a copy of the base; neither is changed.
   *
   * @throws FdtException if the overlay is malformed or refers to what the base has not
   */
  public static DeviceTree apply(DeviceTree base, DeviceTree overlay) {
    return new Overlay(base, overlay).run();
  }

  private DeviceTree run() {
    collectBase(tree.root(), 0);
    delta = maxPhandle(tree);
    if (Integer.compareUnsigned(maxPhandle(overlay), -2 - delta) > 0) {
      throw new FdtException("the phandles of base and overlay do not fit into 32 bits");
    }
    resolveSymbols();
    findTargets();
    renumber();
    targets.forEach(
        (fragment, target) ->
            merge(overlayNode(fragment), target.node(), stepsTo(target.node()).size()));
    mergeSymbols();
    return tree;
  }

  private static int maxPhandle(DeviceTree of) {
    int max = 0;
    for (FdtNode node : of.nodes()) {
      OptionalInt phandle = node.phandle();
      if (phandle.isPresent()
          && phandle.getAsInt() != -1
          && Integer.compareUnsigned(phandle.getAsInt(), max) > 0) {
        max = phandle.getAsInt();
      }
    }
    return max;
  }

  private void resolveSymbols() {
    Optional<FdtNode> wanted = overlay.node("/__fixups__");
    if (wanted.isEmpty()) {
      return;
    }
    FdtNode symbols =
        tree.node("/__symbols__")
            .orElseThrow(() -> new FdtException("the base has no symbols to refer to"));
    for (String symbol : wanted.get().propertyNames()) {
      String path =
          symbols
              .string(symbol)
              .orElseThrow(() -> new FdtException("the base has no symbol \"" + symbol + "\""));
      OptionalInt phandle = tree.node(path).map(FdtNode::phandle).orElse(OptionalInt.empty());
      if (phandle.isEmpty()) {
        throw new FdtException("symbol \"" + symbol + "\" names no node with a phandle");
      }
      for (String place : wanted.get().strings(symbol)) {
        patch(place, phandle.getAsInt());
      }
    }
  }

  private void patch(String place, int phandle) {
    if (++fixups > MAX_FIXUPS) {
      throw new FdtException("more than " + MAX_FIXUPS + " fixups");
    }
    int offsetAt = place.lastIndexOf(':');
    int nameAt = offsetAt < 0 ? -1 : place.lastIndexOf(':', offsetAt - 1);
    if (nameAt < 0) {
      throw new FdtException("a fixup must be path:property:offset but is " + shown(place));
    }
    int offset;
    try {
      offset = Integer.parseUnsignedInt(place.substring(offsetAt + 1));
    } catch (NumberFormatException e) {
      throw new FdtException("a fixup must be path:property:offset but is " + shown(place));
    }
    FdtNode node =
        overlay
            .node(place.substring(0, nameAt))
            .orElseThrow(() -> new FdtException("fixup " + shown(place) + " finds no node"));
    putCell(node, place.substring(nameAt + 1, offsetAt), offset, phandle);
  }

  private static void putCell(FdtNode node, String property, int offset, int value) {
    ByteBuffer old =
        node.property(property)
            .orElseThrow(() -> new FdtException("a fixup finds no property \"" + property + "\""));
    if (offset < 0 || offset > old.remaining() - 4) {
      throw new FdtException("a fixup points outside of property \"" + property + "\"");
    }
    byte[] changed = new byte[old.remaining()];
    old.get(changed);
    ByteBuffer.wrap(changed).putInt(offset, value);
    node.setOwned(property, changed);
  }

  private void findTargets() {
    for (FdtNode fragment : overlay.root().children()) {
      if (fragment.child("__overlay__").isPresent()) {
        targets.put(fragment.name(), targetOf(fragment));
      }
    }
    targets.forEach(
        (fragment, target) -> keepBasePhandles(overlayNode(fragment), target.node(), 0));
  }

  private Target targetOf(FdtNode fragment) {
    if (fragment.has("target")) {
      long phandle =
          fragment.u32("target").orElseThrow(() -> new FdtException("a target is not one cell"));
      FdtNode node = baseByPhandle.get((int) phandle);
      if (node == null) {
        throw new FdtException("the base has no node with phandle " + phandle);
      }
      return new Target(node, Optional.empty());
    }
    String path =
        fragment
            .string("target-path")
            .orElseThrow(
                () -> new FdtException("fragment \"" + fragment.name() + "\" has no target"));
    FdtNode node =
        tree.node(path).orElseThrow(() -> new FdtException("the base has no node " + shown(path)));
    return new Target(node, Optional.of(path));
  }

  // The first node of a phandle counts. One walk for all fragments, of which there may be many.
  private void collectBase(FdtNode node, int depth) {
    requireDepth(depth);
    node.phandle().ifPresent(phandle -> baseByPhandle.putIfAbsent(phandle, node));
    for (FdtNode child : node.children()) {
      baseParents.put(child, node);
      collectBase(child, depth + 1);
    }
  }

  private Deque<String> stepsTo(FdtNode node) {
    Deque<String> steps = new ArrayDeque<>();
    FdtNode at = node;
    for (FdtNode up = baseParents.get(at); up != null; up = baseParents.get(at)) {
      steps.push(at.name());
      at = up;
    }
    return steps;
  }

  private void keepBasePhandles(FdtNode from, FdtNode into, int depth) {
    requireDepth(depth);
    if (from.phandle().isPresent() && into.phandle().isPresent()) {
      phandles.put(from.phandle().getAsInt(), into.phandle().getAsInt());
    }
    for (FdtNode child : from.children()) {
      into.child(child.name()).ifPresent(match -> keepBasePhandles(child, match, depth + 1));
    }
  }

  private void renumber() {
    overlay.node("/__local_fixups__").ifPresent(local -> renumber(local, overlay.root(), 0));
    for (FdtNode node : overlay.nodes()) {
      for (String property : new String[] {"phandle", "linux,phandle"}) {
        if (node.has(property)) {
          int old =
              (int)
                  node.u32(property)
                      .orElseThrow(() -> new FdtException("a phandle is not one cell"));
          node.setU32(property, moved(old));
        }
      }
    }
  }

  private void renumber(FdtNode local, FdtNode node, int depth) {
    requireDepth(depth);
    for (String property : local.propertyNames()) {
      int[] offsets =
          local.cells(property).orElseThrow(() -> new FdtException("local fixups are not cells"));
      for (int offset : offsets) {
        ByteBuffer value = node.property(property).orElse(NOTHING);
        if (offset < 0 || offset > value.remaining() - 4) {
          throw new FdtException("a local fixup points outside of \"" + property + "\"");
        }
        putCell(node, property, offset, moved(value.getInt(offset)));
      }
    }
    for (FdtNode child : local.children()) {
      FdtNode match =
          node.child(child.name())
              .orElseThrow(
                  () -> new FdtException("a local fixup finds no node \"" + child.name() + "\""));
      renumber(child, match, depth + 1);
    }
  }

  private int moved(int phandle) {
    return phandles.getOrDefault(phandle, phandle + delta);
  }

  private void merge(FdtNode from, FdtNode into, int depth) {
    requireDepth(depth);
    into.setAll(from);
    for (FdtNode child : from.children()) {
      FdtNode match = into.child(child.name()).orElseGet(() -> into.add(child.name()));
      merge(child, match, depth + 1);
    }
  }

  private void mergeSymbols() {
    Optional<FdtNode> symbols = overlay.node("/__symbols__");
    if (symbols.isEmpty()) {
      return;
    }
    FdtNode all = tree.root().childOrNew("__symbols__");
    long size = 0;
    for (String symbol : symbols.get().propertyNames()) {
      String path =
          symbols
              .get()
              .string(symbol)
              .orElseThrow(() -> new FdtException("symbol \"" + symbol + "\" is no path"));
      Optional<String> moved = rebased(path);
      if (moved.isPresent()) {
        size += moved.get().length();
        if (size > DeviceTree.MAX_SIZE) {
          throw new FdtException("the symbols do not fit into a device tree");
        }
        all.setStrings(symbol, moved.get());
      }
    }
  }

  // A path outside of any __overlay__ is skipped, as libfdt does.
  private Optional<String> rebased(String path) {
    String[] steps = path.split("/", 4);
    if (steps.length < 3 || !steps[2].equals("__overlay__")) {
      return Optional.empty();
    }
    Target target = targets.get(steps[1]);
    if (target == null) {
      return Optional.empty();
    }
    String base =
        target.givenPath().orElseGet(() -> "/" + String.join("/", stepsTo(target.node())));
    String rest = steps.length == 4 ? "/" + steps[3] : "";
    return Optional.of(base.equals("/") && !rest.isEmpty() ? rest : base + rest);
  }

  private FdtNode overlayNode(String fragment) {
    return overlay.node("/" + fragment + "/__overlay__").orElseThrow();
  }

  private static String shown(String text) {
    return '"' + (text.length() > 100 ? text.substring(0, 100) + "..." : text) + '"';
  }

  private static void requireDepth(int depth) {
    if (depth >= MAX_DEPTH) {
      throw new FdtException("more than " + MAX_DEPTH + " levels");
    }
  }
}
