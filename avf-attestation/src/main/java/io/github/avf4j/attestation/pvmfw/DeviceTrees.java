package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtException;
import io.github.avf4j.devicetree.FdtNode;
import io.github.avf4j.devicetree.Overlay;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Device trees by the conventions of this module: made of byte slices, and refused with exceptions
 * of this module's root.
 *
 * <p>Thread-safe; the trees are not.
 */
public final class DeviceTrees {
  private DeviceTrees() {}

  /**
   * Reads a tree, as {@link DeviceTree#parse} does.
   *
   * @throws DeviceTreeException if the bytes are no such tree
   */
  public static DeviceTree parse(ByteSlice bytes) {
    try {
      return DeviceTree.parse(bytes.toByteArray());
    } catch (FdtException e) {
      throw new DeviceTreeException(e, bytes.offset());
    }
  }

  /**
   * Merges an overlay into a copy of the base, as {@link Overlay#apply} does.
   *
   * @throws DeviceTreeException if it is malformed or refers to what the base has not
   */
  static DeviceTree apply(DeviceTree base, ByteSlice overlay) {
    DeviceTree parsed = parse(overlay);
    try {
      return Overlay.apply(base, parsed);
    } catch (FdtException e) {
      throw new DeviceTreeException(e, overlay.offset());
    }
  }

  /**
   * Does work that changes trees.
   *
   * @throws PvmfwException of this error, about this subject, if a tree does not allow a change
   */
  static <T> T change(PvmfwError error, String subject, Supplier<T> work) {
    try {
      return work.get();
    } catch (FdtException e) {
      throw new PvmfwException(error, subject + ": " + e.reason(), e);
    }
  }

  /** A copy of all properties of a node, in order. */
  static Map<String, ByteSlice> properties(FdtNode node) {
    Map<String, ByteSlice> properties = new LinkedHashMap<>();
    for (String name : node.propertyNames()) {
      properties.put(name, slice(node.property(name).orElseThrow()));
    }
    return Collections.unmodifiableMap(properties);
  }

  private static ByteSlice slice(ByteBuffer value) {
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    return ByteSlice.takeOver(bytes);
  }
}
