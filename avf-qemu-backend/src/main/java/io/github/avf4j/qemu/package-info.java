/**
 * The backend that runs a machine in a QEMU process with software emulation.
 *
 * <p>{@link io.github.avf4j.qemu.QemuBackend} makes a {@link io.github.avf4j.qemu.QemuMachine}: the
 * process, a thread that controls it over QMP, two threads that take what the guest prints, and an
 * event loop that serves the machine's vsock device over vhost-user.
 */
@NullMarked
package io.github.avf4j.qemu;

import org.jspecify.annotations.NullMarked;
