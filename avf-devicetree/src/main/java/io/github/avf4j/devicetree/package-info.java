/**
 * Flattened device trees (Devicetree Specification 0.4): reads, changes, writes, and applies
 * overlays.
 *
 * <p>{@link io.github.avf4j.devicetree.DeviceTree} is a tree in memory; {@link
 * io.github.avf4j.devicetree.Overlay} merges one into another as libfdt does. What is read may come
 * from a guest's host or from anywhere: sizes, depth and counts are bounded, names are checked, and
 * names that occur twice in one node are refused. Properties after subnodes are refused, as the
 * specification says. Everything that is refused is an {@link
 * io.github.avf4j.devicetree.FdtException}.
 *
 * <p>What is written is of version 17, and equal to what dtc writes for the same tree. Called by
 * backends, which describe a machine to its guest, and by the firmware's part of attestation, on
 * the caller's thread.
 */
@NullMarked
package io.github.avf4j.devicetree;

import org.jspecify.annotations.NullMarked;
