/**
 * The vsock device (virtio 1.2, section 5.10): streams between the host's program and the guest,
 * with no help of the host's kernel.
 *
 * <p>{@link io.github.avf4j.virtio.vsock.VsockDevice} is what a transport drives; {@link
 * io.github.avf4j.virtio.vsock.VsockDevice#host()} is what the host's program uses. One lock per
 * device guards all connections. The bytes move on whatever thread has them: a writer copies into
 * the guest's buffers itself, and a thread that finds room or data serves those that wait, from and
 * to their own buffers.
 */
@NullMarked
package io.github.avf4j.virtio.vsock;

import org.jspecify.annotations.NullMarked;
