/**
 * The back-end side of the vhost-user protocol: QEMU hands over guest memory, virtqueues and
 * eventfds of one virtio device over a Unix socket, and a device of avf-virtio works on them.
 *
 * <p>QEMU serves a guest that may be hostile, so every message is bounded and checked, and every
 * descriptor that comes with it is owned at once. A message that is not legal ends the connection,
 * never the JVM.
 */
@NullMarked
package io.github.avf4j.qemu.vhostuser;

import org.jspecify.annotations.NullMarked;
