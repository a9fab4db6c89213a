package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes the device tree that a guest gets: a template of the firmware, filled with checked values
 * of the host's, the handover, and what the loader adds. Confined to one thread.
 */
public final class GuestTree {
  private static final int SEED = 8;

  private final HostTree host;
  private final DeviceTree tree;

  private GuestTree(HostTree host, DeviceTree tree) {
    this.host = host;
    this.tree = tree;
  }

  /**
   * Makes the tree.
   *
   * @param host what the host gave
   * @param next what was decided
   * @param handoverAddress where the handover page is, in guest-physical memory
   * @param additions what the loader adds
   * @throws PvmfwException of error INVALID_FDT if a property of {@code /avf} is not that of the
   *     reference, DEVICE_INVALID_DTBO if the overlay for device assignment does not fit or brings
   *     nodes that the firmware makes, CONFIG_INVALID_RESERVED_MEMORY if reserved memory makes no
   *     node
   */
  public static DeviceTree make(
      HostTree host, NextHandover next, long handoverAddress, GuestAdditions additions) {
    // Without devices, all nodes are the firmware's own.
    return DeviceTrees.change(
        PvmfwError.DEVICE_INVALID_DTBO,
        "device assignment",
        () -> fill(host, next, handoverAddress, additions));
  }

  private static DeviceTree fill(
      HostTree host, NextHandover next, long handoverAddress, GuestAdditions additions) {
    DeviceTree machine = GuestMachine.make(host);
    GuestTree guest =
        new GuestTree(
            host,
            additions
                .devices()
                .map(devices -> devices.applyTo(machine, GuestMachine.FIRST_PV_IOMMU))
                .orElse(machine));
    guest.addHandover(handoverAddress, next.page().length());
    guest.addAvf(additions.reference());
    guest.addChosen(next.isNewInstance());
    guest.addReserved(additions.reserved());
    ByteSlice debugPolicy = additions.debugPolicy();
    DeviceTree tree = debugPolicy == null ? guest.tree : DebugPolicy.apply(guest.tree, debugPolicy);
    if (host.bootArguments().isPresent()) {
      String given = host.bootArguments().get();
      String kept =
          next.payload().debuggable() ? given : BootArguments.filter(given, DebugPolicy.of(tree));
      tree.node("/chosen").orElseThrow().setStrings("bootargs", kept);
    }
    return tree;
  }

  private void addHandover(long address, long size) {
    tree.node("/reserved-memory")
        .orElseThrow()
        .add("dice")
        .setStrings("compatible", "google,open-dice")
        .setEmpty("no-map")
        .setU64("reg", address, size);
  }

  private void addAvf(@Nullable DeviceTree reference) {
    FdtNode avf = tree.root().add("avf");
    Optional<FdtNode> trusted = reference == null ? Optional.empty() : reference.node("/avf");
    host.avf()
        .forEach(
            (name, value) -> {
              ByteBuffer given = value.asByteBuffer();
              Optional<ByteBuffer> expected = trusted.flatMap(node -> node.property(name));
              if (expected.isPresent()) {
                HostRules.require(
                    expected.get().equals(given),
                    "property \"" + name + "\" of /avf is not that of the reference");
                avf.set(name, given);
              }
            });
    FdtNode untrusted = avf.add("untrusted");
    host.untrusted().forEach((name, value) -> untrusted.set(name, value.asByteBuffer()));
  }

  private void addChosen(boolean newInstance) {
    byte[] seed = new byte[SEED];
    new SecureRandom().nextBytes(seed);
    FdtNode chosen =
        tree.node("/chosen")
            .orElseThrow()
            .setStrings("stdout-path", "/uart@3f8")
            .setU32("linux,pci-probe-only", 1)
            .set("kaslr-seed", seed)
            .setEmpty("avf,strict-boot");
    if (newInstance) {
      chosen.setEmpty("avf,new-instance");
    }
    host.initrd()
        .ifPresent(
            range ->
                chosen
                    .setU64("linux,initrd-start", range.start())
                    .setU64("linux,initrd-end", range.end()));
  }

  private void addReserved(List<ReservedMemory.Placed> all) {
    FdtNode reserved = tree.node("/reserved-memory").orElseThrow();
    for (ReservedMemory.Placed placed : all) {
      ReservedMemory memory = placed.memory();
      if (memory.content().length() == 0) {
        throw new PvmfwException(
            PvmfwError.CONFIG_INVALID_RESERVED_MEMORY, "reserved memory: a blob is empty");
      }
      FdtNode node =
          DeviceTrees.change(
              PvmfwError.CONFIG_INVALID_RESERVED_MEMORY,
              "reserved memory",
              () -> reserved.add(memory.compatible()));
      node.setStrings("compatible", memory.compatible())
          .setU64("reg", placed.address(), memory.content().length());
      if (memory.noMap()) {
        node.setEmpty("no-map");
      }
    }
  }
}
