/**
 * How an x86-64 machine is before its first instruction: where memory is, kernel images and their
 * boot protocols, the ACPI tables, CPUID and model-specific registers.
 *
 * <p>All of it runs on the thread that makes the machine. Kernel files are read once, bounded and
 * checked, then used.
 */
@NullMarked
package io.github.avf4j.kvm.boot.x86;

import org.jspecify.annotations.NullMarked;
