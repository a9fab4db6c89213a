package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;

/**
 * What a device's debug policy allows, as it shows in a guest's tree. It counts only where the
 * loader's chain is in debug mode.
 *
 * @param log whether the guest's console may be seen
 * @param ramdump whether its memory may be dumped
 * @param adb whether Microdroid may run adbd
 */
public record DebugPolicy(boolean log, boolean ramdump, boolean adb) {
  /** Reads the policy of a tree; what is missing is not allowed. */
  public static DebugPolicy of(DeviceTree tree) {
    return new DebugPolicy(
        isOn(tree, "/avf/guest/common", "log"),
        isOn(tree, "/avf/guest/common", "ramdump"),
        isOn(tree, "/avf/guest/microdroid", "adb"));
  }

  /**
   * Reads what an overlay would allow a guest, without one.
   *
   * @throws DeviceTreeException if it is malformed, or has a target that guests do not have
   */
  public static DebugPolicy ofOverlay(ByteSlice overlay) {
    DeviceTree guest = new DeviceTree();
    guest.root().add("chosen");
    guest.root().add("avf").add("untrusted");
    return of(DeviceTrees.apply(guest, overlay));
  }

  /** Applies the policy's overlay; a broken one changes nothing. */
  static DeviceTree apply(DeviceTree tree, ByteSlice overlay) {
    try {
      return DeviceTrees.apply(tree, overlay);
    } catch (DeviceTreeException e) {
      return tree;
    }
  }

  private static boolean isOn(DeviceTree tree, String path, String property) {
    return tree.node(path).map((FdtNode node) -> node.u32(property).orElse(0) == 1).orElse(false);
  }
}
