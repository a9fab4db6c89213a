package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.devicetree.DeviceTree;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the loader's configuration data adds to a guest's device tree. Immutable, as long as nobody
 * changes the reference tree.
 *
 * @param reference the VM reference device tree, or null for none: then no property of {@code /avf}
 *     arrives
 * @param debugPolicy the overlay of the debug policy, or null for none or where the loader's chain
 *     is not in debug mode
 * @param devices what the host assigns and the loader's overlay allows
 * @param reserved memory content for this VM, where the caller put it
 */
public record GuestAdditions(
    @Nullable DeviceTree reference,
    @Nullable ByteSlice debugPolicy,
    Optional<DeviceAssignment> devices,
    List<ReservedMemory.Placed> reserved) {
  /** Nothing. */
  public static final GuestAdditions NONE =
      new GuestAdditions(null, null, Optional.empty(), List.of());

  /** Copies the list. */
  public GuestAdditions {
    reserved = List.copyOf(reserved);
  }

  /** The same with a reference tree. */
  public GuestAdditions withReference(DeviceTree tree) {
    return new GuestAdditions(tree, debugPolicy, devices, reserved);
  }

  /** The same with a debug policy. */
  public GuestAdditions withDebugPolicy(ByteSlice overlay) {
    return new GuestAdditions(reference, overlay, devices, reserved);
  }

  /** The same with devices. */
  public GuestAdditions withDevices(DeviceAssignment assigned) {
    return new GuestAdditions(reference, debugPolicy, Optional.of(assigned), reserved);
  }

  /** The same with reserved memory. */
  public GuestAdditions withReserved(List<ReservedMemory.Placed> placed) {
    return new GuestAdditions(reference, debugPolicy, devices, placed);
  }
}
