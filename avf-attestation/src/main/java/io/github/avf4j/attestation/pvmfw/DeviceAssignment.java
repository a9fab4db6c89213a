package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.pvmfw.AssignedDevice.PvStream;
import io.github.avf4j.attestation.pvmfw.AssigningHypervisor.IommuStream;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import io.github.avf4j.devicetree.Overlay;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The physical devices that a host assigns to a guest, checked against the loader's overlay and the
 * hypervisor.
 *
 * <p>A device is assigned if a symbol of the overlay names its node, a physical device of the
 * overlay's {@code /host} stands behind that node, and the host's tree has a node at the path that
 * the overlay would give it. The host says where in the guest the device's memory and streams are;
 * the hypervisor says whether those are the physical device's. In the guest's tree, {@code reg} has
 * two cells for an address and two for a size, so a bus of the overlay must say the same. Immutable
 * and thread-safe.
 */
public final class DeviceAssignment {
  /** The greatest number of pvIOMMUs, for which the firmware's template has nodes. */
  public static final int MAX_PV_IOMMUS = 10;

  private static final String PV_IOMMU = "pkvm,pviommu";
  private static final long FIRMWARE_START = 0x7fc0_0000L;

  private final List<AssignedDevice> devices;
  private final List<Integer> pvIommuIds;
  private final DeviceTree overlay;

  private DeviceAssignment(
      List<AssignedDevice> devices, List<Integer> pvIommuIds, DeviceTree overlay) {
    this.devices = List.copyOf(devices);
    this.pvIommuIds = List.copyOf(pvIommuIds);
    this.overlay = overlay;
  }

  /**
   * Checks what the host assigns.
   *
   * @param host the host's tree
   * @param vmDtbo the overlay of the configuration data, which stays as it is
   * @return empty if nothing is assigned
   * @throws PvmfwException of one of the DEVICE errors
   */
  public static Optional<DeviceAssignment> parse(
      DeviceTree host, DeviceTree vmDtbo, AssigningHypervisor hypervisor) {
    if (vmDtbo.root().exactChild("__symbols__").isEmpty()) {
      return Optional.empty();
    }
    Map<Integer, Integer> pvIommus = pvIommus(host);
    VmDtbo dtbo = new VmDtbo(vmDtbo);
    List<AssignedDevice> devices = new ArrayList<>();
    List<FdtNode> nodes = new ArrayList<>();
    for (VmDtbo.Candidate candidate : dtbo.candidates()) {
      Optional<AssignedDevice> device = assigned(host, dtbo, candidate, pvIommus, hypervisor);
      if (device.isPresent()) {
        devices.add(device.get());
        nodes.add(candidate.node());
      }
    }
    if (devices.isEmpty()) {
      return Optional.empty();
    }
    refuseSharedStreams(devices);
    Set<Integer> ids = new TreeSet<>(Integer::compareUnsigned);
    ids.addAll(pvIommus.values());
    if (ids.size() > MAX_PV_IOMMUS) {
      throw VmDtbo.fault(
          PvmfwError.DEVICE_TOO_MANY_PV_IOMMU,
          "at most %d pvIOMMUs are taken but there are %d".formatted(MAX_PV_IOMMUS, ids.size()));
    }
    DeviceTree overlay = changing(() -> DtboFilter.keep(vmDtbo, nodes));
    return Optional.of(new DeviceAssignment(devices, List.copyOf(ids), overlay));
  }

  private static DeviceTree changing(Supplier<DeviceTree> work) {
    return DeviceTrees.change(PvmfwError.DEVICE_INVALID_DTBO, "device assignment", work);
  }

  private static Map<Integer, Integer> pvIommus(DeviceTree host) {
    Map<Integer, Integer> idByPhandle = new HashMap<>();
    for (FdtNode node : host.compatible(PV_IOMMU)) {
      // Without a phandle nothing can refer to it.
      if (node.phandle().isPresent()) {
        OptionalLong id = node.u32("id");
        if (id.isEmpty() || node.u32("#iommu-cells").orElse(0) != 1) {
          throw VmDtbo.fault(
              PvmfwError.DEVICE_INVALID_PV_IOMMU,
              "pvIOMMU \"" + node.name() + "\" needs an id and #iommu-cells 1");
        }
        if (idByPhandle.put(node.phandle().getAsInt(), (int) id.getAsLong()) != null) {
          throw VmDtbo.fault(PvmfwError.DEVICE_INVALID_PV_IOMMU, "two pvIOMMUs have one phandle");
        }
      }
    }
    if (new HashSet<>(idByPhandle.values()).size() != idByPhandle.size()) {
      throw VmDtbo.fault(PvmfwError.DEVICE_DUPLICATED_PV_IOMMU_IDS, "two pvIOMMUs have one id");
    }
    return idByPhandle;
  }

  private static Optional<AssignedDevice> assigned(
      DeviceTree host,
      VmDtbo dtbo,
      VmDtbo.Candidate candidate,
      Map<Integer, Integer> pvIommus,
      AssigningHypervisor hypervisor) {
    FdtNode parent = host.root();
    FdtNode node = host.root();
    for (String step : candidate.steps()) {
      Optional<FdtNode> next = node.child(step);
      if (next.isEmpty()) {
        return Optional.empty();
      }
      parent = node;
      node = next.get();
    }
    int phandle =
        candidate
            .node()
            .phandle()
            .orElseThrow(
                () ->
                    VmDtbo.fault(
                        PvmfwError.DEVICE_INVALID_DTBO,
                        "node \"" + candidate.node().name() + "\" has no phandle"));
    Optional<VmDtbo.Physical> physical = dtbo.physical(phandle);
    if (physical.isEmpty()) {
      // Other devices may depend on it, but it is none.
      return Optional.empty();
    }
    List<MemoryRange> reg = AssignedDevice.reg(node, parent);
    checkReg(reg, physical.get().reg(), hypervisor);
    List<Integer> interrupts = AssignedDevice.interrupts(node);
    List<PvStream> streams = streams(node, pvIommus);
    checkStreams(streams, physical.get().streams(), hypervisor);
    return Optional.of(new AssignedDevice(candidate.path(), reg, interrupts, streams));
  }

  private static void checkReg(
      List<MemoryRange> reg, List<MemoryRange> physical, AssigningHypervisor hypervisor) {
    int pairs = Math.min(reg.size(), physical.size());
    for (int i = 0; i < pairs; i++) {
      MemoryRange range = reg.get(i);
      if (wraps(range) || overlapsFirmware(range)) {
        throw range(PvmfwError.DEVICE_INVALID_REG, "memory for a device is not allowed", range);
      }
      OptionalLong token = hypervisor.mmioToken(range.start(), range.size());
      if (token.isEmpty()) {
        throw range(PvmfwError.DEVICE_INVALID_REG, "memory is no device's", range);
      }
      if (token.getAsLong() != physical.get(i).start()) {
        throw range(PvmfwError.DEVICE_INVALID_PHYS_REG, "memory is another device's", range);
      }
    }
    if (reg.size() > pairs) {
      throw range(
          PvmfwError.DEVICE_INVALID_REG, "memory is more than the device has", reg.get(pairs));
    }
    if (physical.size() > pairs) {
      throw range(
          PvmfwError.DEVICE_INVALID_PHYS_REG,
          "memory of the device is left out",
          physical.get(pairs));
    }
  }

  private static boolean wraps(MemoryRange range) {
    return Long.compareUnsigned(range.end(), range.start()) < 0;
  }

  private static boolean overlapsFirmware(MemoryRange range) {
    return Long.compareUnsigned(range.start(), HostRules.RAM_BASE) < 0
        && Long.compareUnsigned(range.end(), FIRMWARE_START) > 0;
  }

  private static PvmfwException range(PvmfwError error, String reason, MemoryRange range) {
    return VmDtbo.fault(
        error, "%s: 0x%x, 0x%x bytes".formatted(reason, range.start(), range.size()));
  }

  private static List<PvStream> streams(FdtNode node, Map<Integer, Integer> pvIommus) {
    List<PvStream> streams = new ArrayList<>();
    for (int[] pair : AssignedDevice.iommus(node)) {
      Integer id = pvIommus.get(pair[0]);
      if (id == null) {
        throw VmDtbo.fault(
            PvmfwError.DEVICE_MALFORMED_IOMMUS,
            "node \"" + node.name() + "\" names an unknown pvIOMMU");
      }
      streams.add(new PvStream(id, pair[1]));
    }
    return streams;
  }

  private static void checkStreams(
      List<PvStream> streams, List<IommuStream> physical, AssigningHypervisor hypervisor) {
    Set<IommuStream> left = new HashSet<>(physical);
    boolean same = streams.size() == physical.size();
    for (int i = 0; i < streams.size() && same; i++) {
      PvStream stream = streams.get(i);
      same =
          hypervisor
              .iommuToken(
                  Integer.toUnsignedLong(stream.pvIommuId()), Integer.toUnsignedLong(stream.vsid()))
              .filter(left::remove)
              .isPresent();
    }
    if (!same) {
      throw VmDtbo.fault(
          PvmfwError.DEVICE_INVALID_IOMMUS, "the streams of a device are not the physical ones");
    }
  }

  private static void refuseSharedStreams(List<AssignedDevice> devices) {
    Set<PvStream> seen = new HashSet<>();
    for (AssignedDevice device : devices) {
      for (PvStream stream : device.streams()) {
        if (!seen.add(stream)) {
          throw VmDtbo.fault(
              PvmfwError.DEVICE_UNSUPPORTED_PV_IOMMUS_DUPLICATION,
              "two devices share a stream of a pvIOMMU");
        }
      }
    }
  }

  /** The devices, in the order of the overlay's symbols. */
  public List<AssignedDevice> devices() {
    return devices;
  }

  /** The ids of the host's pvIOMMUs, unsigned and ascending. */
  public List<Integer> pvIommuIds() {
    return pvIommuIds;
  }

  /**
   * Merges the devices into a copy of a guest's tree.
   *
   * @param firstPhandle the phandle of the first pvIOMMU; those after it are free as well
   * @throws PvmfwException of error DEVICE_INVALID_DTBO if the overlay does not fit
   */
  DeviceTree applyTo(DeviceTree guest, int firstPhandle) {
    return changing(() -> merge(guest.copy(), firstPhandle));
  }

  private DeviceTree merge(DeviceTree guest, int firstPhandle) {
    Map<Integer, Integer> phandles = new HashMap<>();
    for (int i = 0; i < pvIommuIds.size(); i++) {
      phandles.put(pvIommuIds.get(i), firstPhandle + i);
      guest
          .root()
          .add("pviommu" + i)
          .setStrings("compatible", PV_IOMMU)
          .setU32("id", pvIommuIds.get(i))
          .setU32("#iommu-cells", 1)
          .setU32("phandle", firstPhandle + i);
    }
    DeviceTree tree = Overlay.apply(guest, overlay);
    for (AssignedDevice device : devices) {
      FdtNode node =
          tree.node(device.path())
              .orElseThrow(
                  () ->
                      VmDtbo.fault(
                          PvmfwError.DEVICE_INVALID_DTBO, "the overlay lacks a device's node"));
      node.setU64(
          "reg",
          device.reg().stream()
              .flatMapToLong(range -> LongStream.of(range.start(), range.size()))
              .toArray());
      node.setU32("interrupts", device.interrupts().stream().mapToInt(i -> i).toArray());
      node.setU32(
          "iommus",
          device.streams().stream()
              .flatMapToInt(
                  stream ->
                      IntStream.of(phandles.getOrDefault(stream.pvIommuId(), 0), stream.vsid()))
              .toArray());
    }
    return tree;
  }
}
