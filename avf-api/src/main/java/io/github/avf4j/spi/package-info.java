/**
 * What implementers of hypervisor backends see; users of the library need nothing of it.
 *
 * <p>A backend implements {@link io.github.avf4j.spi.HypervisorBackend} and is found by {@link
 * java.util.ServiceLoader}. It gets a {@link io.github.avf4j.spi.MachineSpec}, which knows nothing
 * of payloads, and makes a {@link io.github.avf4j.spi.Machine} of it. It calls {@link
 * io.github.avf4j.spi.ByteSink}s and {@link io.github.avf4j.spi.MachineListener} on its own
 * threads; neither blocks.
 */
@NullMarked
package io.github.avf4j.spi;

import org.jspecify.annotations.NullMarked;
