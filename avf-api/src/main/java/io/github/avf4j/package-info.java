/**
 * Virtual machines for Java programs, shaped like Android's {@code android.system.virtualmachine}.
 *
 * <p>Start at {@link io.github.avf4j.VirtualMachineManager}: it creates {@link
 * io.github.avf4j.VirtualMachine}s from a {@link io.github.avf4j.VirtualMachineConfig}. {@link
 * io.github.avf4j.Virtualization#probe()} says what this host can do. Everything here may be called
 * from any thread.
 */
@NullMarked
package io.github.avf4j;

import org.jspecify.annotations.NullMarked;
