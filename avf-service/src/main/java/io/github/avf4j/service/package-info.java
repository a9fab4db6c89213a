/**
 * How the parts make a virtual machine.
 *
 * <p>{@link io.github.avf4j.service.LocalVirtualization} is found by the API. A {@code Store} keeps
 * what is on disk, a {@code LocalVirtualMachine} is one machine of it, and a {@code Run} is its
 * life from {@code run()} to {@code onStopped}: it has a keeper thread, which decides when the
 * machine is over and gives everything back, and a {@code GuestLink} thread, which hears what the
 * guest reports.
 *
 * <p>Backends call in on their own threads through {@code Run} and the sinks of its output; these
 * never block.
 */
@NullMarked
package io.github.avf4j.service;

import org.jspecify.annotations.NullMarked;
