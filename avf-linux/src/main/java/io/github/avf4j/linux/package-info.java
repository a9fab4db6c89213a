/**
 * Linux as the hypervisor backends see it: owned descriptors, eventfds, an event loop, memory
 * mappings, memfds, descriptor passing and signals.
 *
 * <p>{@code LibC} declares the C functions under their C names and is hidden; the other classes own
 * what they open and turn a failed call into a {@link io.github.avf4j.HypervisorException} that
 * names the call and the error number. Where a class is not thread-safe it says so.
 */
@NullMarked
package io.github.avf4j.linux;

import org.jspecify.annotations.NullMarked;
