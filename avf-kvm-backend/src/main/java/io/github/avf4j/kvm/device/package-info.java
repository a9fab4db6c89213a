/**
 * What a guest finds at its I/O ports, and the buses that find the device for an access.
 *
 * <p>Called on the vCPU threads, by several at once: devices with state lock it. Nothing here
 * blocks.
 */
@NullMarked
package io.github.avf4j.kvm.device;

import org.jspecify.annotations.NullMarked;
