/**
 * A guest's physical memory as the host sees it.
 *
 * <p>Hypervisor backends make a {@link io.github.avf4j.virtio.memory.GuestMemory} of the views of
 * their mappings, or of their {@link io.github.avf4j.virtio.memory.GuardedAccess} to a guest that
 * shares its memory page by page; queues, devices and loaders go through it on any thread. Nothing
 * here allocates or frees the mapping: whoever mapped it ends every thread that may touch it before
 * it unmaps.
 */
@NullMarked
package io.github.avf4j.virtio.memory;

import org.jspecify.annotations.NullMarked;
