/**
 * Flattened device trees (Devicetree Specification 0.4): reads, changes, writes, and applies
 * overlays.
 *
 * <p>{@link io.github.avf4j.attestation.fdt.DeviceTree} is a tree in memory; {@link
 * io.github.avf4j.attestation.fdt.Overlay} merges one into another as libfdt does. What is read may
 * come from a guest's host or from anywhere: sizes, depth and counts are bounded, names are
 * checked, and names that occur twice in one node are refused. Properties after subnodes are
 * refused, as the specification says.
 *
 * <p>What is written is of version 17, and equal to what dtc writes for the same tree. Called by
 * {@code pvmfw} and by whoever describes a machine to a guest, on the caller's thread.
 */
@NullMarked
package io.github.avf4j.attestation.fdt;

import org.jspecify.annotations.NullMarked;
