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
 *   <li>Whether version 1.3 of the configuration blob has four or five entries is
 *       <em>unconfirmed</em>; five are read, unless the caller is of January 2025, and a higher
 *       minor version is read like 1.3 with a warning.
 *   <li>The reserved-memory entry is read little-endian and without alignment
 *       (<em>unconfirmed</em>). The rollback configuration blob and extra trusted keys of 2026 have
 *       no known place and are not read; several trusted keys can be given by the caller.
 *   <li>A vbmeta image whose flags are not zero is refused, also where it is correctly signed.
 *   <li>The image size of the kernel's descriptor must be the footer's original size.
 *   <li>Descriptors must parse to the last byte, and their lengths must be exact; see {@code avb}.
 *   <li>A property that occurs twice is refused.
 *   <li>Without an instance id, and without a recorded salt, a salt is random; the guest is then
 *       new.
 *   <li>An instance image without an entry of pvmfw is valid and new. A partition that is not
 *       inside its disk is refused. A first block of zeros is a missing header, any other wrong one
 *       an invalid header.
 *   <li>The key that certifies the guest is of the algorithm of the incoming leaf key, and so is
 *       the guest's. The reference takes the second from a build option, Ed25519.
 *   <li>The device tree of the guest is made from the checked values of {@link
 *       io.github.avf4j.attestation.pvmfw.HostTree}. Device assignment (VM DTBO) is not supported:
 *       a tree that assigns devices is treated as if there were no DTBO.
 * </ul>
 *
 * <p>Everything runs on the caller's thread. Secrets are in {@link
 * io.github.avf4j.attestation.SecretBytes}; what holds them must be closed.
 */
@NullMarked
package io.github.avf4j.attestation.pvmfw;

import org.jspecify.annotations.NullMarked;
