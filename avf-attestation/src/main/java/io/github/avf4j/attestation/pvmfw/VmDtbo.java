package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.pvmfw.AssigningHypervisor.IommuStream;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The loader's overlay for device assignment, taken apart: the nodes that can be assigned, and the
 * physical devices behind them.
 *
 * <p>Comes from the loader, so it is trusted, but read like any other input. Confined to one
 * thread.
 */
final class VmDtbo {
  private static final String OVERLAY = "__overlay__";
  private static final int MAX_SYMBOLS = 4096;

  private final DeviceTree tree;
  private final Map<Integer, Physical> physicalByTarget = new HashMap<>();

  /** What the device is on the host's side. */
  record Physical(List<MemoryRange> reg, List<IommuStream> streams) {}

  /** A node that can be assigned: its names from the root of the guest, and the node itself. */
  record Candidate(List<String> steps, FdtNode node) {
    String path() {
      return "/" + String.join("/", steps);
    }
  }

  VmDtbo(DeviceTree tree) {
    this.tree = tree;
    Optional<FdtNode> host = tree.root().exactChild("host");
    if (host.isPresent()) {
      Map<Integer, Long> tokens = new HashMap<>();
      collectIommus(host.get(), tokens);
      if (new HashSet<>(tokens.values()).size() != tokens.size()) {
        throw fault(PvmfwError.DEVICE_DUPLICATED_IOMMU_IDS, "two physical IOMMUs have one token");
      }
      collectDevices(host.get(), tokens);
      refuseSharedStreams();
    }
  }

  DeviceTree tree() {
    return tree;
  }

  /** The physical device behind a node of the overlay. */
  Optional<Physical> physical(int phandle) {
    return Optional.ofNullable(physicalByTarget.get(phandle));
  }

  /** The nodes that symbols name, in order; symbols of other parts of the tree are left out. */
  List<Candidate> candidates() {
    Optional<FdtNode> symbols = tree.root().exactChild("__symbols__");
    if (symbols.isEmpty()) {
      return List.of();
    }
    if (symbols.get().propertyNames().size() > MAX_SYMBOLS) {
      throw fault(PvmfwError.DEVICE_INVALID_SYMBOLS, "more than " + MAX_SYMBOLS + " symbols");
    }
    List<Candidate> candidates = new ArrayList<>();
    for (String symbol : symbols.get().propertyNames()) {
      String path =
          symbols
              .get()
              .string(symbol)
              .orElseThrow(
                  () ->
                      fault(
                          PvmfwError.DEVICE_INVALID_SYMBOLS,
                          "symbol \"" + symbol + "\" is no text"));
      if (!path.startsWith("/")) {
        throw fault(
            PvmfwError.DEVICE_UNSUPPORTED_PATH_FORMAT,
            "symbol \"" + symbol + "\" is no absolute path");
      }
      List<String> steps = Arrays.stream(path.split("/")).filter(step -> !step.isEmpty()).toList();
      if (steps.size() >= 2 && steps.get(1).equals(OVERLAY)) {
        candidates.add(candidate(symbol, steps));
      }
    }
    return candidates;
  }

  private Candidate candidate(String symbol, List<String> steps) {
    FdtNode fragment = null;
    FdtNode node = tree.root();
    for (String step : steps) {
      node =
          node.exactChild(step)
              .orElseThrow(
                  () ->
                      fault(
                          PvmfwError.DEVICE_INVALID_SYMBOLS,
                          "symbol \"" + symbol + "\" names no node"));
      fragment = fragment == null ? node : fragment;
    }
    if (fragment == null || steps.size() == 2) {
      throw fault(
          PvmfwError.DEVICE_INVALID_SYMBOLS, "symbol \"" + symbol + "\" names the root itself");
    }
    String target =
        fragment
            .string("target-path")
            .orElseThrow(
                () -> fault(PvmfwError.DEVICE_INVALID_DTBO, "a fragment has no target-path"));
    if (!target.equals("/")) {
      throw fault(
          PvmfwError.DEVICE_UNSUPPORTED_OVERLAY_TARGET,
          "fragment \"" + fragment.name() + "\" must have the root as target");
    }
    return new Candidate(steps.subList(2, steps.size()), node);
  }

  private static void collectIommus(FdtNode parent, Map<Integer, Long> tokens) {
    for (FdtNode node : parent.children()) {
      // Without a phandle nothing can refer to it.
      if (node.phandle().isPresent() && node.has("android,pvmfw,token")) {
        long token = token(node);
        if (tokens.putIfAbsent(node.phandle().getAsInt(), token) != null) {
          throw fault(PvmfwError.DEVICE_INVALID_DTBO, "two physical IOMMUs have one phandle");
        }
      }
      collectIommus(node, tokens);
    }
  }

  private static long token(FdtNode node) {
    int[] token = node.cells("android,pvmfw,token").orElse(new int[0]);
    OptionalLong cells = node.u32("#iommu-cells");
    if (token.length != 2 || cells.isEmpty()) {
      throw fault(
          PvmfwError.DEVICE_INVALID_PHYS_IOMMU,
          "IOMMU \"" + node.name() + "\" needs a token of two cells and #iommu-cells");
    }
    if (cells.getAsLong() != 1) {
      throw fault(
          PvmfwError.DEVICE_UNSUPPORTED_PHYS_IOMMU,
          "IOMMU \"" + node.name() + "\" must have #iommu-cells 1");
    }
    return HostRules.pair(token, 0);
  }

  private void collectDevices(FdtNode parent, Map<Integer, Long> tokens) {
    for (FdtNode node : parent.children()) {
      if (node.has("android,pvmfw,target")) {
        OptionalLong target = node.u32("android,pvmfw,target");
        if (target.isEmpty()) {
          throw fault(
              PvmfwError.DEVICE_INVALID_DTBO,
              "the target of device \"" + node.name() + "\" is not one phandle");
        }
        Physical physical = new Physical(AssignedDevice.reg(node, parent), streams(node, tokens));
        if (physicalByTarget.put((int) target.getAsLong(), physical) != null) {
          throw fault(PvmfwError.DEVICE_INVALID_DTBO, "two physical devices have one target");
        }
      }
      collectDevices(node, tokens);
    }
  }

  private static List<IommuStream> streams(FdtNode node, Map<Integer, Long> tokens) {
    List<IommuStream> streams = new ArrayList<>();
    for (int[] pair : AssignedDevice.iommus(node)) {
      Long token = tokens.get(pair[0]);
      if (token == null) {
        throw fault(
            PvmfwError.DEVICE_MALFORMED_IOMMUS,
            "device \"" + node.name() + "\" names an unknown IOMMU");
      }
      streams.add(new IommuStream(token, Integer.toUnsignedLong(pair[1])));
    }
    return streams;
  }

  private void refuseSharedStreams() {
    Set<IommuStream> seen = new HashSet<>();
    for (Physical physical : physicalByTarget.values()) {
      for (IommuStream stream : physical.streams()) {
        if (!seen.add(stream)) {
          throw fault(
              PvmfwError.DEVICE_UNSUPPORTED_IOMMUS_DUPLICATION,
              "two physical devices share a stream");
        }
      }
    }
  }

  static PvmfwException fault(PvmfwError error, String reason) {
    return new PvmfwException(error, "device assignment: " + reason);
  }
}
