package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.pvmfw.AssigningHypervisor.IommuStream;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The trees are compiled with dtc from the sources beside them. */
class DeviceAssignmentTest {
  private final DeviceTree host = read("host_devices");
  private final DeviceTree dtbo = read("vm_dtbo");
  private final Hypervisor hypervisor = new Hypervisor();

  /** A hypervisor that has mapped the devices of the host's tree. */
  static final class Hypervisor implements AssigningHypervisor {
    private final Map<MemoryRange, Long> memory = new HashMap<>();
    private final Map<List<Long>, IommuStream> streams = new HashMap<>();

    Hypervisor() {
      memory.put(new MemoryRange(0x30000000, 0x1000), 0x12f00000L);
      memory.put(new MemoryRange(0x30010000, 0x1000), 0x10000000L);
      memory.put(new MemoryRange(0x30020000, 0x2000), 0x10010000L);
      memory.put(new MemoryRange(0x30030000, 0x100), 0x300L);
      streams.put(List.of(9L, 0xf0L), new IommuStream(0x12e40000L, 3));
      // In another order than the overlay has them.
      streams.put(List.of(2L, 0xf1L), new IommuStream(0x12e40000L, 5));
      streams.put(List.of(2L, 0xf2L), new IommuStream(0x100050000L, 4));
    }

    Optional<DeviceAssignment> assign(DeviceTree host, DeviceTree dtbo) {
      return DeviceAssignment.parse(host, dtbo, this);
    }

    @Override
    public OptionalLong mmioToken(long address, long size) {
      Long token = memory.get(new MemoryRange(address, size));
      return token == null ? OptionalLong.empty() : OptionalLong.of(token);
    }

    @Override
    public Optional<IommuStream> iommuToken(long pvIommuId, long vsid) {
      return Optional.ofNullable(streams.get(List.of(pvIommuId, vsid)));
    }
  }

  private static DeviceTree read(String name) {
    return DeviceTree.parse(Vectors.bytes("fdt/" + name + ".dtb"));
  }

  static Optional<DeviceAssignment> assignment() {
    return new Hypervisor().assign(read("host_devices"), read("vm_dtbo"));
  }

  /** The devices, of which the camera refers to another node below the root of the guest. */
  static DeviceAssignment assignmentThatBrings(String node) {
    DeviceTree dtbo = read("vm_dtbo");
    referFromTheCamera(dtbo, "/fragment@0/__overlay__", node);
    return new Hypervisor().assign(read("host_devices"), dtbo).orElseThrow();
  }

  private static void referFromTheCamera(DeviceTree dtbo, String parent, String node) {
    dtbo.node(parent).orElseThrow().add(node).setU32("phandle", 99);
    dtbo.node("/fragment@0/__overlay__/camera").orElseThrow().setU32("example,other", 99);
    dtbo.node("/__local_fixups__/fragment@0/__overlay__/camera")
        .orElseThrow()
        .setU32("example,other", 0);
  }

  private Optional<DeviceAssignment> parse() {
    return hypervisor.assign(host, dtbo);
  }

  @Test
  void takesTheDevicesThatTheHypervisorMapped() {
    DeviceAssignment assignment = parse().orElseThrow();
    assertThat(assignment.devices())
        .containsExactly(
            new AssignedDevice(
                "/camera",
                List.of(new MemoryRange(0x30000000, 0x1000)),
                List.of(0, 0x2a, 4),
                List.of(new AssignedDevice.PvStream(9, 0xf0))),
            new AssignedDevice(
                "/dsp",
                List.of(new MemoryRange(0x30010000, 0x1000), new MemoryRange(0x30020000, 0x2000)),
                List.of(0, 0x2b, 4, 0, 0x2c, 4),
                List.of(
                    new AssignedDevice.PvStream(2, 0xf1), new AssignedDevice.PvStream(2, 0xf2))),
            new AssignedDevice(
                "/bus/lamp",
                List.of(new MemoryRange(0x30030000, 0x100)),
                List.of(0, 0x2d, 4),
                List.of()));
    assertThat(assignment.pvIommuIds()).containsExactly(2, 9);
  }

  @Test
  void givesTheGuestTheDevicesAndWhatTheyDependOn() {
    DeviceTree guest = parse().orElseThrow().applyTo(GuestTreeTest.hostTree(), 96);
    DeviceTree again = DeviceTree.parse(guest.encode());
    FdtNode camera = again.node("/camera").orElseThrow();
    assertThat(camera.cells("reg").orElseThrow()).containsExactly(0, 0x30000000, 0, 0x1000);
    assertThat(camera.cells("interrupts").orElseThrow()).containsExactly(0, 0x2a, 4);
    assertThat(camera.u32("example,setting")).as("the loader's, not the host's").hasValue(7);
    assertThat(camera.children()).isEmpty();
    int[] streams = camera.cells("iommus").orElseThrow();
    FdtNode pvIommu = again.byPhandle(streams[0]).orElseThrow();
    assertThat(pvIommu.u32("id")).hasValue(9);
    assertThat(streams[1]).isEqualTo(0xf0);
    FdtNode clock = again.byPhandle((int) camera.u32("clocks").orElseThrow()).orElseThrow();
    assertThat(clock.isCompatible("fixed-clock")).isTrue();
    FdtNode regulator = again.byPhandle((int) clock.u32("vdd-supply").orElseThrow()).orElseThrow();
    assertThat(regulator.u32("example,for").orElseThrow())
        .as("a loop of dependencies ends")
        .isEqualTo(Integer.toUnsignedLong(camera.phandle().orElseThrow()));
    assertThat(again.node("/bus/lamp").orElseThrow().property("iommus").orElseThrow().remaining())
        .isZero();
    assertThat(again.node("/bus/unlit")).isEmpty();
    assertThat(again.node("/bystander")).isEmpty();
    assertThat(again.node("/host")).isEmpty();
    assertThat(again.node("/__symbols__").orElseThrow().propertyNames())
        .containsExactlyInAnyOrder("camera", "clock", "regulator", "dsp", "lamp");
    assertThat(again.compatible("pkvm,pviommu")).hasSize(2);
  }

  @Test
  void takesOnlyWhatTheHostHas() {
    host.root().removeChild("camera@30000000");
    host.root().removeChild("dsp");
    DeviceAssignment assignment = parse().orElseThrow();
    assertThat(assignment.devices()).extracting(AssignedDevice::path).containsExactly("/bus/lamp");
    DeviceTree guest = assignment.applyTo(GuestTreeTest.hostTree(), 96);
    assertThat(guest.node("/camera")).isEmpty();
    assertThat(guest.node("/clock")).isEmpty();
    host.root().removeChild("bus");
    assertThat(parse()).isEmpty();
  }

  @Test
  void assignsNothingWithoutSymbolsOrPhysicalDevices() {
    dtbo.root().removeChild("host");
    assertThat(parse()).isEmpty();
    dtbo.root().removeChild("__symbols__");
    assertThat(parse()).isEmpty();
  }

  static Stream<Arguments> breaches() {
    return Stream.of(
        overlay(PvmfwError.DEVICE_INVALID_SYMBOLS, "/__symbols__", n -> n.setU32("camera", 1)),
        symbol(PvmfwError.DEVICE_INVALID_SYMBOLS, "/fragment@0/__overlay__/nothing"),
        symbol(PvmfwError.DEVICE_INVALID_SYMBOLS, "/fragment@0/__overlay__"),
        symbol(PvmfwError.DEVICE_UNSUPPORTED_PATH_FORMAT, "camera"),
        overlay(
            PvmfwError.DEVICE_UNSUPPORTED_OVERLAY_TARGET,
            "/fragment@0",
            n -> n.setStrings("target-path", "/chosen")),
        overlay(PvmfwError.DEVICE_INVALID_DTBO, "/fragment@0", n -> n.remove("target-path")),
        overlay(
            PvmfwError.DEVICE_INVALID_DTBO,
            "/fragment@0/__overlay__/camera",
            n -> n.remove("phandle")),
        overlay(
            PvmfwError.DEVICE_INVALID_DTBO,
            "/host/camera",
            n -> n.setU32("android,pvmfw,target", 1, 2)),
        overlay(
            PvmfwError.DEVICE_INVALID_DTBO,
            "/host/camera",
            n -> n.setU32("android,pvmfw,target", 4)),
        overlay(
            PvmfwError.DEVICE_INVALID_DTBO,
            "/__local_fixups__/fragment@0/__overlay__/camera",
            n -> n.setU32("clocks", 4)),
        overlay(
            PvmfwError.DEVICE_INVALID_DTBO,
            "/__local_fixups__/fragment@0/__overlay__/camera",
            n -> n.setEmpty("clocks")),
        overlay(
            PvmfwError.DEVICE_INTERNAL,
            "/fragment@0/__overlay__/camera",
            n -> n.setU32("clocks", 1)),
        overlay(PvmfwError.DEVICE_MALFORMED_REG, "/host/camera", n -> n.remove("reg")),
        overlay(PvmfwError.DEVICE_MALFORMED_REG, "/host/camera", n -> n.setU32("reg", 1, 2)),
        overlay(PvmfwError.DEVICE_MALFORMED_REG, "/host", n -> n.setU32("#size-cells", 0)),
        overlay(PvmfwError.DEVICE_MALFORMED_REG, "/host", n -> n.setEmpty("#address-cells")),
        overlay(PvmfwError.DEVICE_MALFORMED_IOMMUS, "/host/camera", n -> n.setU32("iommus", 99, 3)),
        overlay(
            PvmfwError.DEVICE_UNSUPPORTED_IOMMUS_DUPLICATION,
            "/host/camera",
            n -> n.setU32("iommus", 1, 5)),
        overlay(PvmfwError.DEVICE_INVALID_PHYS_IOMMU, "/host/smmu0", n -> n.remove("#iommu-cells")),
        overlay(
            PvmfwError.DEVICE_INVALID_PHYS_IOMMU,
            "/host/smmu0",
            n -> n.setU32("android,pvmfw,token", 1)),
        overlay(
            PvmfwError.DEVICE_UNSUPPORTED_PHYS_IOMMU,
            "/host/smmu0",
            n -> n.setU32("#iommu-cells", 2)),
        overlay(
            PvmfwError.DEVICE_DUPLICATED_IOMMU_IDS,
            "/host/smmu0",
            n -> n.setU64("android,pvmfw,token", 0x100050000L)),
        overlay(PvmfwError.DEVICE_INVALID_DTBO, "/host/smmu0", n -> n.setU32("phandle", 3)),
        overlay(
            PvmfwError.DEVICE_INVALID_PHYS_REG,
            "/host/camera",
            n -> n.setU32("reg", 0, 0x12f00001, 0x1000)),
        overlay(
            PvmfwError.DEVICE_INVALID_PHYS_REG,
            "/host/camera",
            n -> n.setU32("reg", 0, 0x12f00000, 0x1000, 0, 0x1000, 0x1000)),
        overlay(PvmfwError.DEVICE_INVALID_IOMMUS, "/host/camera", n -> n.setU32("iommus", 1, 0x77)),
        overlay(PvmfwError.DEVICE_INVALID_IOMMUS, "/host/camera", n -> n.remove("iommus")),
        host(PvmfwError.DEVICE_MALFORMED_REG, "/camera", n -> n.remove("reg")),
        host(PvmfwError.DEVICE_MALFORMED_REG, "/camera", n -> n.set("reg", new byte[1])),
        host(PvmfwError.DEVICE_INVALID_REG, "/camera", n -> n.setU64("reg", 0x30000000, 0x2000)),
        host(PvmfwError.DEVICE_INVALID_REG, "/camera", n -> n.setU64("reg", 0x7fbff001, 0x1000)),
        host(PvmfwError.DEVICE_INVALID_REG, "/camera", n -> n.setU64("reg", 0x7fffffff, 0x1000)),
        host(PvmfwError.DEVICE_INVALID_REG, "/camera", n -> n.setU64("reg", 0, -1)),
        host(PvmfwError.DEVICE_INVALID_REG, "/camera", n -> n.setU64("reg", -1, 2)),
        host(
            PvmfwError.DEVICE_INVALID_REG,
            "/camera",
            n -> n.setU64("reg", 0x30000000, 0x1000, 0x30030000, 0x100)),
        host(
            PvmfwError.DEVICE_INVALID_PHYS_REG,
            "/camera",
            n -> n.setU64("reg", 0x30010000, 0x1000)),
        host(
            PvmfwError.DEVICE_INVALID_PHYS_REG,
            "/dsp",
            n -> n.setU64("reg", 0x30020000, 0x2000, 0x30010000, 0x1000)),
        host(PvmfwError.DEVICE_INVALID_INTERRUPTS, "/camera", n -> n.remove("interrupts")),
        host(PvmfwError.DEVICE_INVALID_INTERRUPTS, "/camera", n -> n.setU32("interrupts", 1, 2)),
        host(PvmfwError.DEVICE_MALFORMED_IOMMUS, "/camera", n -> n.setU32("iommus", 1)),
        host(PvmfwError.DEVICE_MALFORMED_IOMMUS, "/camera", n -> n.setU32("iommus", 77, 0xf0)),
        host(PvmfwError.DEVICE_INVALID_IOMMUS, "/camera", n -> n.remove("iommus")),
        host(PvmfwError.DEVICE_INVALID_IOMMUS, "/camera", n -> n.setU32("iommus", 1, 0xf3)),
        host(PvmfwError.DEVICE_INVALID_PV_IOMMU, "/pviommu0", n -> n.remove("id")),
        host(PvmfwError.DEVICE_INVALID_PV_IOMMU, "/pviommu0", n -> n.setU32("#iommu-cells", 2)),
        host(PvmfwError.DEVICE_INVALID_PV_IOMMU, "/pviommu0", n -> n.setU32("phandle", 2)),
        host(PvmfwError.DEVICE_DUPLICATED_PV_IOMMU_IDS, "/pviommu0", n -> n.setU32("id", 2)),
        host(PvmfwError.DEVICE_TOO_MANY_PV_IOMMU, "/", DeviceAssignmentTest::addPvIommus));
  }

  private static void addPvIommus(FdtNode root) {
    for (int i = 0; i < 9; i++) {
      root.add("more" + i)
          .setStrings("compatible", "pkvm,pviommu")
          .setU32("id", 100 + i)
          .setU32("#iommu-cells", 1)
          .setU32("phandle", 100 + i);
    }
  }

  private static Arguments symbol(PvmfwError error, String path) {
    return overlay(error, "/__symbols__", n -> n.setStrings("camera", path));
  }

  private static Arguments overlay(PvmfwError error, String path, Consumer<FdtNode> change) {
    return Arguments.of(error, "overlay " + path, true, path, change);
  }

  private static Arguments host(PvmfwError error, String path, Consumer<FdtNode> change) {
    return Arguments.of(error, "host " + path, false, path, change);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("breaches")
  void refusesWhatBreaksARule(
      PvmfwError error, String where, boolean inOverlay, String path, Consumer<FdtNode> change) {
    change.accept((inOverlay ? dtbo : host).node(path).orElseThrow());
    PvmFirmwareTest.assertError(this::parse, error);
    assertThat(error.rebootReason()).isEqualTo(RebootReason.INVALID_FDT);
  }

  @Test
  void refusesTwoDevicesOnOneVirtualStream() {
    // A hypervisor that maps one virtual stream to what is asked for would be broken.
    dtbo.node("/host/dsp").orElseThrow().setU32("iommus", 1, 5);
    host.node("/dsp").orElseThrow().setU32("iommus", pvPhandle("/pviommu0"), 0xf0);
    AssigningHypervisor careless =
        new AssigningHypervisor() {
          private long next = 1;

          @Override
          public OptionalLong mmioToken(long address, long size) {
            return hypervisor.mmioToken(address, size);
          }

          @Override
          public Optional<IommuStream> iommuToken(long pvIommuId, long vsid) {
            next += 2;
            return Optional.of(new IommuStream(0x12e40000L, next));
          }
        };
    PvmFirmwareTest.assertError(
        () -> DeviceAssignment.parse(host, dtbo, careless),
        PvmfwError.DEVICE_UNSUPPORTED_PV_IOMMUS_DUPLICATION);
  }

  private int pvPhandle(String path) {
    return host.node(path).orElseThrow().phandle().orElseThrow();
  }

  @Test
  void refusesAnOverlayWithTwoSetsOfFixups() {
    dtbo.node("/__local_fixups__").orElseThrow().add("__overlay__");
    referFromTheCamera(dtbo, "/__local_fixups__/__overlay__", "other");
    PvmFirmwareTest.assertError(this::parse, PvmfwError.DEVICE_INVALID_DTBO);
    assertThatThrownBy(this::parse).hasMessageContaining("\"__local_fixups__\" occurs twice");
  }

  @Test
  void refusesAGuestThatHasItsPvIommusAlready() {
    DeviceTree guest = new DeviceTree();
    guest.root().add("pviommu0");
    PvmFirmwareTest.assertError(
        () -> parse().orElseThrow().applyTo(guest, 96), PvmfwError.DEVICE_INVALID_DTBO);
  }

  @Test
  void boundsTheSymbols() {
    FdtNode symbols = dtbo.node("/__symbols__").orElseThrow();
    for (int i = 0; i < 5000; i++) {
      symbols.setStrings("s" + i, "/host");
    }
    PvmFirmwareTest.assertError(this::parse, PvmfwError.DEVICE_INVALID_SYMBOLS);
  }

  @Test
  void namesAllErrorsOfTheReference() {
    List<String> tested =
        breaches().map(arguments -> ((PvmfwError) arguments.get()[0]).name()).distinct().toList();
    assertThat(tested)
        .containsAll(
            Stream.of(PvmfwError.values())
                .map(PvmfwError::name)
                .filter(name -> name.startsWith("DEVICE_"))
                .filter(name -> !name.equals("DEVICE_UNSUPPORTED_PV_IOMMUS_DUPLICATION"))
                .toList());
  }
}
