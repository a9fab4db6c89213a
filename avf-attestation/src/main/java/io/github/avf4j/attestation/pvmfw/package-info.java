/**
 * What the protected VM firmware of Android does between a host that nobody trusts and a guest:
 * checks kernel and ramdisk, decides about rollback, derives the guest's secrets, and says what the
 * guest's device tree gets.
 *
 * <p>{@link io.github.avf4j.attestation.pvmfw.PvmFirmware#boot} is the whole of it. A backend calls
 * it on the host where no firmware below the guest exists. Each way to fail is one {@link
 * io.github.avf4j.attestation.pvmfw.PvmfwError}, which knows the reboot reason that the firmware
 * would print.
 *
 * <p>The rules are those of March 2025 ({@link
 * io.github.avf4j.attestation.pvmfw.PvmfwRevision#MARCH_2025}) by default, of January 2025 on
 * request. Decisions where the reference leaves room, or where this package is stricter:
 *
 * <ul>
 *   <li>A configuration blob without DICE handover is refused. The reference of March 2025 then
 *       skips every check.
 *   <li>Version 1.3 of the configuration blob has five entries, unless the caller is of January
 *       2025, which reads four; a higher minor version is read like 1.3 with a warning. The
 *       reserved-memory entry is little-endian, not aligned, and its offsets count from the end of
 *       the headers. A public boot loader writes both so; the reference document calls them
 *       unconfirmed. Contents must be in order, and texts ASCII of 1 to 255 bytes.
 *   <li>The rules of 2026 ({@link io.github.avf4j.attestation.pvmfw.PvmfwRevision#HEAD_2026}) are
 *       those that single files show, on request. The first trusted key is the firmware's own, the
 *       others are the extra ones. Where the configuration data holds the rollback configuration
 *       and the extra keys is <em>unconfirmed</em>, so the caller gives them ({@link
 *       io.github.avf4j.attestation.pvmfw.ReservedName}). The capability for remote attestation
 *       then marks a guest as in March 2025 and fixes nothing: names do.
 *   <li>A vbmeta image whose flags are not zero is refused, also where it is correctly signed.
 *   <li>The image size of the kernel's descriptor must be the footer's original size.
 *   <li>Descriptors must parse to the last byte, and their lengths must be exact; see {@code avb}.
 *   <li>A property that occurs twice is refused.
 *   <li>Without an instance id, and without a recorded salt, the salt of an instance disk is
 *       random; the guest is then new. A guest of a fixed version, or one that protects itself,
 *       needs an instance id: its secrets hang on nothing else.
 *   <li>An instance image without an entry of pvmfw is valid and new. A partition that is not
 *       inside its disk is refused. A first block of zeros is a missing header, any other wrong one
 *       an invalid header.
 *   <li>The key that certifies the guest is of the algorithm of the incoming leaf key, and so is
 *       the guest's. The reference takes the second from a build option, Ed25519.
 *   <li>The device tree of the guest is made from the checked values of {@link
 *       io.github.avf4j.attestation.pvmfw.HostTree}. A number of the host that has another size
 *       than one cell, or where allowed two, is an error and does not count as missing. Serial
 *       ports that the template lacks are dropped.
 *   <li>Device assignment ({@link io.github.avf4j.attestation.pvmfw.DeviceAssignment}): symbols of
 *       the overlay outside of any {@code __overlay__} are skipped, as dtc writes them for labels
 *       below {@code /host}; one that names the root is refused. What devices refer to comes along
 *       even where it is an ancestor of another device, which the reference loses. References to
 *       symbols of the guest stay unresolved. All pvIOMMUs of the host arrive, at most 10.
 * </ul>
 *
 * <p>Everything runs on the caller's thread. Secrets are in {@link
 * io.github.avf4j.attestation.SecretBytes}; what holds them must be closed.
 */
@NullMarked
package io.github.avf4j.attestation.pvmfw;

import org.jspecify.annotations.NullMarked;
