package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GuestTreeTest {
  private static final PvmfwRevision M = PvmfwRevision.MARCH_2025;
  private static final String BOOT_ARGUMENTS =
      "panic=-1  console=ttyS0 crashkernel=17M init=\"/bin/sh -c x\" panic=3";

  @Test
  void givesTheGuestWhatWasChecked() {
    DeviceTree host = hostTree();
    DeviceTree reference = new DeviceTree();
    reference.root().add("avf").setU32("known", 5).setU32("other", 1);
    DeviceTree guest = make(host, "initrd_normal", reference, null);
    DeviceTree again = DeviceTree.parse(guest.encode());
    FdtNode chosen = again.node("/chosen").orElseThrow();
    assertThat(chosen.has("avf,strict-boot")).isTrue();
    assertThat(chosen.has("avf,new-instance")).isFalse();
    assertThat(chosen.string("bootargs")).hasValue("panic=-1");
    assertThat(chosen.property("kaslr-seed").orElseThrow().remaining()).isEqualTo(8);
    FdtNode dice = again.node("/reserved-memory/dice").orElseThrow();
    assertThat(dice.cells("reg").orElseThrow()).containsExactly(0, 0x7fe00000, 0, 4096);
    assertThat(again.node("/avf").orElseThrow().u32("known")).hasValue(5);
    assertThat(again.node("/avf").orElseThrow().has("unknown")).isFalse();
    assertThat(again.node("/avf").orElseThrow().has("other")).isFalse();
    FdtNode untrusted = again.node("/avf/untrusted").orElseThrow();
    assertThat(untrusted.has("instance-id")).isTrue();
    assertThat(untrusted.children()).isEmpty();
    assertThat(again.node("/evil")).isEmpty();
    assertThat(again.compatible("arm,armv8")).hasSize(2);
    assertThat(HostTree.parse(host, M, 4096).cpus().clusters()).hasSize(1);
  }

  @Test
  void leavesBootArgumentsOfADebuggableGuest() {
    DeviceTree guest = make(hostTree(), "initrd_debug", null, null);
    assertThat(guest.node("/chosen").orElseThrow().string("bootargs")).hasValue(BOOT_ARGUMENTS);
  }

  @Test
  void allowsWhatTheDebugPolicyAllows() {
    DeviceTree policy = new DeviceTree();
    policy
        .root()
        .add("fragment@0")
        .setStrings("target-path", "/")
        .add("__overlay__")
        .add("avf")
        .add("guest")
        .add("common")
        .setU32("log", 1)
        .setU32("ramdump", 0);
    ByteSlice overlay = ByteSlice.takeOver(policy.encode());
    DeviceTree guest = make(hostTree(), "initrd_normal", null, overlay);
    assertThat(guest.node("/chosen").orElseThrow().string("bootargs"))
        .hasValue("panic=-1 console=ttyS0");
    assertThat(DebugPolicy.of(guest)).isEqualTo(new DebugPolicy(true, false, false));
    DeviceTree broken = make(hostTree(), "initrd_normal", null, ByteSlice.ofHex("00"));
    assertThat(DebugPolicy.of(broken)).isEqualTo(new DebugPolicy(false, false, false));
  }

  @Test
  void keepsTheBytesOfBootArgumentsThatAreNotAscii() {
    DeviceTree host = hostTree();
    ByteBuffer utf8 = ByteSlice.ofHex("6b3dc3a900").asByteBuffer();
    host.node("/chosen").orElseThrow().set("bootargs", utf8);
    DeviceTree guest = make(host, "initrd_debug", null, null);
    assertThat(guest.node("/chosen").orElseThrow().property("bootargs")).hasValue(utf8);
    PvmFirmwareTest.assertError(
        () -> make(host, "initrd_normal", null, null), PvmfwError.INVALID_FDT);
  }

  @Test
  void givesTheGuestNoSerialPortThatTheTemplateLacks() {
    DeviceTree host = hostTree();
    host.root()
        .add("uart@80000000")
        .setStrings("compatible", "ns16550a")
        .setU64("reg", 0x80000000L, 8);
    DeviceTree guest = make(host, "initrd_normal", null, null);
    assertThat(guest.compatible("ns16550a")).extracting(FdtNode::name).containsExactly("uart@3f8");
  }

  @Test
  void describesReservedMemory() {
    ReservedMemory memory =
        new ReservedMemory("vm", "google,seed", SecretBytes.takeOver(new byte[5]), true);
    DeviceTree guest =
        make(GuestAdditions.NONE.withReserved(List.of(new ReservedMemory.Placed(memory, 0x4000))));
    FdtNode node = guest.node("/reserved-memory/google,seed").orElseThrow();
    assertThat(node.isCompatible("google,seed")).isTrue();
    assertThat(node.cells("reg").orElseThrow()).containsExactly(0, 0x4000, 0, 5);
    assertThat(node.has("no-map")).isTrue();
  }

  static Stream<List<ReservedMemory>> unusableReservedMemory() {
    ReservedMemory good = new ReservedMemory("vm", "a", SecretBytes.takeOver(new byte[5]), false);
    return Stream.of(
        List.of(good, good),
        List.of(new ReservedMemory("vm", "a", SecretBytes.takeOver(new byte[0]), false)),
        List.of(new ReservedMemory("vm", "a/b", SecretBytes.takeOver(new byte[1]), false)),
        List.of(new ReservedMemory("vm", "dice", SecretBytes.takeOver(new byte[1]), false)));
  }

  @ParameterizedTest
  @MethodSource("unusableReservedMemory")
  void refusesReservedMemoryThatMakesNoNode(List<ReservedMemory> all) {
    GuestAdditions additions =
        GuestAdditions.NONE.withReserved(
            all.stream().map(memory -> new ReservedMemory.Placed(memory, 0x4000)).toList());
    PvmFirmwareTest.assertError(() -> make(additions), PvmfwError.CONFIG_INVALID_RESERVED_MEMORY);
  }

  @Test
  void givesTheGuestAssignedDevices() {
    DeviceTree guest =
        make(GuestAdditions.NONE.withDevices(DeviceAssignmentTest.assignment().orElseThrow()));
    assertThat(guest.node("/camera")).isPresent();
    assertThat(guest.node("/chosen").orElseThrow().has("avf,strict-boot")).isTrue();
    long distinct =
        guest.nodes().stream()
            .filter(node -> node.phandle().isPresent())
            .map(node -> node.phandle().getAsInt())
            .distinct()
            .count();
    assertThat(guest.nodes().stream().filter(node -> node.phandle().isPresent()))
        .as("every phandle is one node's")
        .hasSize((int) distinct);
  }

  @Test
  void refusesDevicesThatBringNodesOfTheFirmware() {
    GuestAdditions additions =
        GuestAdditions.NONE.withDevices(DeviceAssignmentTest.assignmentThatBrings("avf"));
    PvmFirmwareTest.assertError(() -> make(additions), PvmfwError.DEVICE_INVALID_DTBO);
    assertThatThrownBy(() -> make(additions)).hasMessageContaining("\"avf\" occurs twice");
  }

  @Test
  void refusesAPropertyThatIsNotThatOfTheReference() {
    DeviceTree reference = new DeviceTree();
    reference.root().add("avf").setU32("known", 6);
    PvmFirmwareTest.assertError(
        () -> make(hostTree(), "initrd_normal", reference, null), PvmfwError.INVALID_FDT);
  }

  static Stream<Arguments> breaches() {
    return Stream.of(
        breach("RAM base", at("/memory", n -> n.setU64("reg", 0x40000000L, 1 << 26))),
        breach("RAM size", at("/memory", n -> n.setU64("reg", 0x80000000L, 4095))),
        breach("no CPU", tree -> tree.root().removeChild("cpus")),
        breach("CPU map", at("/cpus/cpu-map/cluster0", n -> n.removeChild("core1"))),
        breach("CPU twice", at("/cpus/cpu-map/cluster0/core1", n -> n.setU32("cpu", 20))),
        breach("PCI window in RAM", at("/pci", n -> setRange(n, 0x80000000, 0x80000000))),
        breach("PCI bus address", at("/pci", n -> setRange(n, 0x1000000, 0x2000000))),
        breach("PCI interrupt", at("/pci", n -> n.setU32("interrupt-map", new int[10]))),
        breach("PCI mask", at("/pci", n -> n.setU32("interrupt-map-mask", 0xf800, 0, 0, 6))),
        breach("watchdog", at("/vmwdt", n -> n.setU64("reg", 0x4000, 0x1000))),
        breach("pool size", at("/reserved-memory/pool", n -> n.setU64("size", 100))),
        breach("untrusted", at("/avf/untrusted", n -> n.setU32("phandle", 1))),
        breach("half a ramdisk", at("/chosen", n -> n.remove("linux,initrd-end"))),
        breach("kernel size", at("/config", n -> n.setStrings("kernel-size", "1234567890"))),
        breach("ramdisk", at("/chosen", n -> n.setEmpty("linux,initrd-start"))),
        breach("kernel", at("/config", n -> n.setU32("kernel-address", 0x1000))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("breaches")
  void refusesAHostTreeThatBreaksARule(String name, Consumer<DeviceTree> breach) {
    DeviceTree host = hostTree();
    breach.accept(host);
    PvmFirmwareTest.assertError(() -> HostTree.parse(host, M, 4096), PvmfwError.INVALID_FDT);
  }

  @Test
  void tellsAMissingKernelAndABadRamdisk() {
    DeviceTree host = hostTree();
    host.node("/config").orElseThrow().remove("kernel-size");
    PvmFirmwareTest.assertError(() -> HostTree.parse(host, M, 4096), PvmfwError.NO_KERNEL);
    DeviceTree other = hostTree();
    other.node("/chosen").orElseThrow().setU32("linux,initrd-end", 0x81000000);
    PvmFirmwareTest.assertError(() -> HostTree.parse(other, M, 4096), PvmfwError.INVALID_RAMDISK);
  }

  @Test
  void needsInJanuaryWhatBecameOptional() {
    DeviceTree host = hostTree();
    host.root().removeChild("vmwdt@3000");
    assertThat(HostTree.parse(host, M, 4096).watchdog()).isFalse();
    PvmFirmwareTest.assertError(
        () -> HostTree.parse(host, PvmfwRevision.JANUARY_2025, 4096), PvmfwError.INVALID_FDT);
  }

  private static DeviceTree make(
      DeviceTree host, String initrd, DeviceTree reference, ByteSlice policy) {
    return make(host, initrd, new GuestAdditions(reference, policy, Optional.empty(), List.of()));
  }

  private static DeviceTree make(GuestAdditions additions) {
    return make(hostTree(), "initrd_normal", additions);
  }

  private static DeviceTree make(DeviceTree host, String initrd, GuestAdditions additions) {
    HostTree checked = HostTree.parse(host, M, 4096);
    BootMaterial material =
        BootMaterial.of(
                ImageSource.of(Vectors.bytes("avb/images/kernel_microdroid_style.img")),
                AvbPublicKey.parse(Vectors.slice("avb/keys/testkey_rsa4096_pub.bin")))
            .withInitrd(ImageSource.of(Vectors.bytes("avb/images/" + initrd)))
            .withInstanceId(checked.instanceId().orElseThrow())
            .withDeferredRollbackProtection(checked.asksToDeferRollbackProtection());
    try (DiceHandover incoming = PvmFirmwareTest.incoming();
        NextHandover next = PvmFirmware.boot(incoming, material, null)) {
      return GuestTree.make(checked, next, 0x7fe00000, additions);
    }
  }

  private static Arguments breach(String name, Consumer<DeviceTree> change) {
    return Arguments.of(name, change);
  }

  private static Consumer<DeviceTree> at(String path, Consumer<FdtNode> change) {
    return tree -> change.accept(tree.node(path).orElseThrow());
  }

  private static void setRange(FdtNode pci, int bus, int cpu) {
    int[] second = {0x3000000, 1, 0, 1, 0, 0, 0x1000};
    int[] first = {0x3000000, 0, bus, 0, cpu, 0, 0x1000};
    int[] both = new int[14];
    System.arraycopy(first, 0, both, 0, 7);
    System.arraycopy(second, 0, both, 7, 7);
    pci.setU32("ranges", both);
  }

  static DeviceTree hostTree() {
    DeviceTree tree = new DeviceTree();
    FdtNode root = tree.root();
    root.setU32("#address-cells", 2).setU32("#size-cells", 2);
    root.add("memory@80000000").setU64("reg", 0x80000000L, 1 << 20);
    root.add("config").setU32("kernel-address", 0x80000000).setU32("kernel-size", 81920);
    root.add("chosen")
        .setStrings("bootargs", BOOT_ARGUMENTS)
        .setU32("linux,initrd-start", 0x80020000)
        .setU32("linux,initrd-end", 0x80021068);
    FdtNode cpus = root.add("cpus");
    FdtNode core = cpus.add("cpu-map").add("cluster0");
    for (int i = 0; i < 2; i++) {
      cpus.add("cpu@" + i).setStrings("compatible", "arm,armv8").setU32("phandle", 20 + i);
      core.add("core" + i).setU32("cpu", 20 + i);
    }
    FdtNode pci = root.add("pci").setStrings("compatible", "pci-host-cam-generic");
    setRange(pci, 0x70000000, 0x70000000);
    pci.setU32("interrupt-map", HostPci.row(0, 7)).setU32("interrupt-map-mask", 0xf800, 0, 0, 7);
    root.add("vmwdt@3000")
        .setStrings("compatible", "qemu,vcpu-stall-detector")
        .setU64("reg", 0x3000, 0x1000)
        .setU32("interrupts", 1, 0xf, 0x301);
    root.add("uart@3f8").setStrings("compatible", "ns16550a").setU64("reg", 0x3f8, 8);
    root.add("reserved-memory")
        .add("pool")
        .setStrings("compatible", "restricted-dma-pool")
        .setU64("size", 65536);
    FdtNode avf = root.add("avf").setU32("known", 5).setU32("unknown", 7);
    avf.add("untrusted")
        .set("instance-id", new byte[64])
        .setEmpty("defer-rollback-protection")
        .add("dropped");
    root.add("evil").setStrings("compatible", "x,y");
    return tree;
  }
}
