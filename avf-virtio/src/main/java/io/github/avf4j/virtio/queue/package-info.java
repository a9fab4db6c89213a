/**
 * Split virtqueues (virtio 1.2, section 2.7) from the device's side.
 *
 * <p>A transport makes a {@link io.github.avf4j.virtio.queue.Virtqueue} of the addresses that a
 * driver gave; a device takes {@link io.github.avf4j.virtio.queue.DescriptorChain}s from it and
 * never sees a descriptor. Everything that the guest wrote is copied once and checked before it is
 * used. A queue and its chains belong to one thread at a time; the device that owns them locks.
 */
@NullMarked
package io.github.avf4j.virtio.queue;

import org.jspecify.annotations.NullMarked;
