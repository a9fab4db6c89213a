/**
 * The virtio-mmio transport, version 2 (virtio 1.2, section 4.2).
 *
 * <p>A hypervisor backend makes one {@link io.github.avf4j.virtio.mmio.MmioTransport} for each
 * device, gives it the register accesses of its vCPU threads and the queue notifications of its
 * event loop, and injects the interrupt that it raises.
 */
@NullMarked
package io.github.avf4j.virtio.mmio;

import org.jspecify.annotations.NullMarked;
