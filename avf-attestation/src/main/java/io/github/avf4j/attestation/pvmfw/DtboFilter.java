package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Leaves of an overlay what assigned devices need: their nodes, those that they refer to by
 * phandle, and so on, and the nodes above each. Neighbours and subnodes stay away unless they are
 * referred to. Used once.
 */
final class DtboFilter {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final DeviceTree tree;
  private final Map<FdtNode, FdtNode> parents = new IdentityHashMap<>();
  private final Map<FdtNode, FdtNode> fixups = new IdentityHashMap<>();
  private final Map<Integer, FdtNode> byPhandle = new HashMap<>();
  private final Set<FdtNode> kept = Collections.newSetFromMap(new IdentityHashMap<>());

  private DtboFilter(DeviceTree tree) {
    this.tree = tree;
  }

  /**
   * Makes an overlay of these nodes.
   *
   * @param assigned nodes of the tree, each below an {@code __overlay__}
   */
  static DeviceTree keep(DeviceTree tree, Collection<FdtNode> assigned) {
    DtboFilter filter = new DtboFilter(tree);
    Optional<FdtNode> local = tree.root().exactChild("__local_fixups__");
    for (FdtNode fragment : tree.root().children()) {
      filter.parents.put(fragment, tree.root());
      Optional<FdtNode> overlay = fragment.exactChild("__overlay__");
      if (overlay.isPresent()) {
        filter.parents.put(overlay.get(), fragment);
        filter.index(
            overlay.get(),
            local
                .flatMap(node -> node.exactChild(fragment.name()))
                .flatMap(node -> node.exactChild("__overlay__"))
                .orElse(null));
      }
    }
    filter.close(assigned);
    return filter.copy();
  }

  private void index(FdtNode node, @Nullable FdtNode fixup) {
    if (fixup != null) {
      fixups.put(node, fixup);
    }
    node.phandle().ifPresent(phandle -> byPhandle.putIfAbsent(phandle, node));
    for (FdtNode child : node.children()) {
      parents.put(child, node);
      index(child, fixup == null ? null : fixup.exactChild(child.name()).orElse(null));
    }
  }

  private void close(Collection<FdtNode> assigned) {
    Set<FdtNode> done = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<FdtNode> open = new ArrayDeque<>(assigned);
    while (!open.isEmpty()) {
      FdtNode node = open.pop();
      if (done.add(node)) {
        FdtNode up = node;
        while (up != null && kept.add(up)) {
          up = parents.get(up);
        }
        FdtNode fixup = fixups.get(node);
        if (fixup != null) {
          fixup.propertyNames().forEach(name -> refer(node, fixup, name, open));
        }
      }
    }
  }

  private void refer(FdtNode node, FdtNode fixup, String property, Deque<FdtNode> open) {
    ByteBuffer value = node.property(property).orElse(NOTHING);
    int[] offsets = fixup.cells(property).orElse(new int[0]);
    if (offsets.length == 0) {
      throw VmDtbo.fault(PvmfwError.DEVICE_INVALID_DTBO, "local fixups are not cells");
    }
    for (int offset : offsets) {
      if (offset < 0 || offset % 4 != 0 || offset > value.remaining() - 4) {
        throw VmDtbo.fault(
            PvmfwError.DEVICE_INVALID_DTBO, "a local fixup points outside of \"" + property + "\"");
      }
      FdtNode target = byPhandle.get(value.getInt(offset));
      if (target == null) {
        throw VmDtbo.fault(
            PvmfwError.DEVICE_INTERNAL,
            "\"%s\" of node \"%s\" refers to what is not in the overlay"
                .formatted(property, node.name()));
      }
      open.push(target);
    }
  }

  private DeviceTree copy() {
    DeviceTree made = new DeviceTree();
    copyBelow(tree.root(), made.root());
    FdtNode local = made.root().add("__local_fixups__");
    for (FdtNode fragment : made.root().children()) {
      tree.root()
          .exactChild(fragment.name())
          .flatMap(node -> node.exactChild("__overlay__"))
          .filter(fixups::containsKey)
          .ifPresent(overlay -> copyFixups(overlay, local.add(fragment.name()).add("__overlay__")));
    }
    tree.root().exactChild("__symbols__").ifPresent(all -> copySymbols(all, made));
    return made;
  }

  private void copyBelow(FdtNode from, FdtNode into) {
    for (FdtNode child : from.children()) {
      if (kept.contains(child)) {
        FdtNode same = into.add(child.name());
        same.setAll(child);
        copyBelow(child, same);
      }
    }
  }

  private void copyFixups(FdtNode node, FdtNode into) {
    FdtNode fixup = fixups.get(node);
    if (fixup != null) {
      into.setAll(fixup);
    }
    for (FdtNode child : node.children()) {
      if (kept.contains(child) && fixups.containsKey(child)) {
        copyFixups(child, into.add(child.name()));
      }
    }
  }

  private static void copySymbols(FdtNode all, DeviceTree made) {
    FdtNode symbols = made.root().add("__symbols__");
    for (String symbol : all.propertyNames()) {
      if (all.string(symbol).flatMap(made::node).isPresent()) {
        symbols.set(symbol, all.property(symbol).orElse(NOTHING));
      }
    }
  }
}
