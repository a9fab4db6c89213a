package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The CPUs that the host gives.
 *
 * @param cpus at least 1, at most 16
 * @param clusters the indexes of CPUs by cluster and core; empty if the host says nothing
 * @param scalesFrequency whether the host has virtual frequency scaling
 * @param dropped how many CPUs beyond 16 there were
 */
public record HostCpus(
    List<Cpu> cpus, List<List<Integer>> clusters, boolean scalesFrequency, int dropped) {
  private static final int MAX_CPUS = 16;
  private static final int MAX_CLUSTERS = 3;
  private static final int MAX_CORES = 10;
  private static final int MAX_FREQUENCIES = 20;
  private static final long SCALING_BASE = 0x1040000;

  /**
   * One CPU.
   *
   * @param capacity its capacity-dmips-mhz
   * @param frequencies its operating points in Hz
   */
  public record Cpu(OptionalInt capacity, List<Long> frequencies) {}

  /** Copies the lists. */
  public HostCpus {
    cpus = List.copyOf(cpus);
    clusters = List.copyOf(clusters);
  }

  static HostCpus parse(DeviceTree host) {
    List<FdtNode> nodes = host.compatible("arm,armv8");
    HostRules.require(!nodes.isEmpty(), "there is no CPU");
    List<FdtNode> used = nodes.subList(0, Math.min(nodes.size(), MAX_CPUS));
    List<Cpu> cpus = new ArrayList<>();
    Map<Integer, Integer> byPhandle = new HashMap<>();
    for (FdtNode node : used) {
      node.phandle().ifPresent(phandle -> byPhandle.put(phandle, cpus.size()));
      OptionalInt capacity =
          node.has("capacity-dmips-mhz")
              ? OptionalInt.of(HostRules.u32(node, "capacity-dmips-mhz"))
              : OptionalInt.empty();
      cpus.add(new Cpu(capacity, frequencies(host, node)));
    }
    return new HostCpus(
        cpus,
        clusters(host, byPhandle, cpus.size()),
        scaling(host, cpus.size()),
        nodes.size() - used.size());
  }

  private static List<Long> frequencies(DeviceTree host, FdtNode cpu) {
    if (!cpu.has("operating-points-v2")) {
      return List.of();
    }
    FdtNode table =
        host.byPhandle(HostRules.u32(cpu, "operating-points-v2"))
            .orElseThrow(() -> HostRules.fault("a CPU has operating points that are missing"));
    HostRules.require(
        table.children().size() <= MAX_FREQUENCIES, "a CPU has more than 20 operating points");
    List<Long> frequencies = new ArrayList<>();
    for (FdtNode point : table.children()) {
      frequencies.add(HostRules.pair(HostRules.cells(point, "opp-hz"), 0));
    }
    return List.copyOf(frequencies);
  }

  private static List<List<Integer>> clusters(
      DeviceTree host, Map<Integer, Integer> byPhandle, int count) {
    Optional<FdtNode> map = host.node("/cpus/cpu-map");
    if (map.isEmpty()) {
      return List.of();
    }
    List<List<Integer>> clusters = new ArrayList<>();
    List<Integer> seen = new ArrayList<>();
    for (int i = 0; i < MAX_CLUSTERS; i++) {
      Optional<FdtNode> cluster = map.get().child("cluster" + i);
      if (cluster.isEmpty()) {
        break;
      }
      List<Integer> cores = new ArrayList<>();
      for (int j = 0; j < MAX_CORES; j++) {
        Optional<FdtNode> core = cluster.get().child("core" + j);
        if (core.isEmpty()) {
          break;
        }
        Integer cpu = byPhandle.get(HostRules.u32(core.get(), "cpu"));
        HostRules.require(cpu != null, "the CPU map names an unknown CPU");
        HostRules.require(!seen.contains(cpu), "the CPU map names a CPU twice");
        seen.add(cpu);
        cores.add(cpu);
      }
      clusters.add(List.copyOf(cores));
    }
    HostRules.require(seen.size() == count, "the CPU map leaves CPUs out");
    return clusters;
  }

  private static boolean scaling(DeviceTree host, int count) {
    List<FdtNode> nodes = host.compatible("virtual,android-v-only-cpufreq");
    if (nodes.isEmpty()) {
      return false;
    }
    int[] reg = HostRules.cells(nodes.get(0), "reg");
    HostRules.require(
        reg.length == 4
            && HostRules.pair(reg, 0) == SCALING_BASE
            && HostRules.pair(reg, 2) == 8L * count,
        "virtual frequency scaling is not at 0x1040000 with 8 bytes a CPU");
    return true;
  }
}
