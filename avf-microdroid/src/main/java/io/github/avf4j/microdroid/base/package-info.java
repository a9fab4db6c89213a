/**
 * Microdroid's base image: a stock kernel, two initial RAM disks and a read-only system, all
 * described by vbmeta images that one key signs; and the firmware's role on that material.
 *
 * <p>{@link io.github.avf4j.microdroid.base.BaseImageBuilder} makes the folder that {@link
 * io.github.avf4j.microdroid.base.BaseImage} names the files of, and {@link
 * io.github.avf4j.microdroid.base.HostFirmware} verifies it and derives what the guest gets. Called
 * by the command line and the service, on any thread; calls block.
 *
 * <p>Decisions where Android's image holds what this guest has no use for:
 *
 * <ul>
 *   <li>{@code system} is an image of its own instead of a logical partition, EROFS instead of
 *       ext4, and its footer holds the very vbmeta image that is also {@code
 *       microdroid_vbmeta.img}. A guest needs the one disk: the digest in bootconfig vouches for
 *       the vbmeta image behind the file system.
 *   <li>Bootconfig has no {@code boot_devices} (disks are found by their serial numbers), no {@code
 *       vbmeta.device}, no {@code slot_suffix} and no {@code force_normal_boot}: there are neither
 *       slots nor a recovery.
 *   <li>Many stock kernels are built without bootconfig: they cut the trailer off and show it to
 *       nobody. The same text is therefore also the file {@code /bootconfig} in the RAM disk, in an
 *       archive of its own between the common part and the trailer.
 *   <li>The RAM disks are not compressed: they are the same bytes with every version of every
 *       compressor, and unpacking takes longer than reading in an emulated guest.
 *   <li>The salt of the tree over {@code system} is the SHA-256 of that word, as the salts of the
 *       other partitions are of theirs.
 * </ul>
 */
@NullMarked
package io.github.avf4j.microdroid.base;

import org.jspecify.annotations.NullMarked;
