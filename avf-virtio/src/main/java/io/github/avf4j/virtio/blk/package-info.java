/**
 * The block device (virtio 1.2, section 5.2) on raw images.
 *
 * <p>Backends make a {@link io.github.avf4j.virtio.blk.BlkDevice} of a {@link
 * io.github.avf4j.virtio.blk.BlkConfig} and a {@link io.github.avf4j.virtio.blk.BlockBackend},
 * which is the host's side. Requests are served on the event loop, one after the other. An image is
 * raw bytes; no format is ever guessed from what a guest can write.
 */
@NullMarked
package io.github.avf4j.virtio.blk;

import org.jspecify.annotations.NullMarked;
