/**
 * Android Verified Boot 2: reads, checks and makes vbmeta images, footers and everything in them.
 *
 * <p>{@link io.github.avf4j.attestation.avb.VbmetaImage} is what was read, {@link
 * io.github.avf4j.attestation.avb.VbmetaVerifier} checks its signature, {@link
 * io.github.avf4j.attestation.avb.SlotVerifier} does what a boot loader does with libavb, and
 * {@link io.github.avf4j.attestation.avb.ImageVerifier} what {@code avbtool verify_image} does.
 * {@link io.github.avf4j.attestation.avb.VbmetaBuilder}, {@link
 * io.github.avf4j.attestation.avb.HashFooter} and {@link
 * io.github.avf4j.attestation.avb.HashtreeFooter} make images that are equal to avbtool's byte for
 * byte. The level of the formats is that of libavb and avbtool 1.3.0.
 *
 * <p>What the reference leaves open is decided here:
 *
 * <ul>
 *   <li>A descriptor's length must be exactly what its parts need, rounded up to 8. libavb takes
 *       longer ones, avbtool does not.
 *   <li>The list of descriptors must parse to its end. libavb stops early and silently.
 *   <li>A signature that is not less than the modulus is refused. n0inv and rr of a key are not
 *       used, but they are compared with those of the trusted key.
 *   <li>{@link io.github.avf4j.attestation.avb.ImageVerifier} refuses flags that are not zero
 *       unless told otherwise; a vbmeta image has at most 64 KiB.
 *   <li>SHA-1 is taken in hashtree descriptors and refused in hash descriptors.
 *   <li>A persistent digest (digest length 0) is refused where a digest must be checked: there is
 *       no device here that holds one.
 *   <li>Two descriptors for one partition are refused by the rules of pvmfw only.
 *   <li>Sparse images (Android's format for flashing) are not read.
 * </ul>
 *
 * <p>Runs on the caller's thread; files are read with bounded buffers.
 */
@NullMarked
package io.github.avf4j.attestation.avb;

import org.jspecify.annotations.NullMarked;
