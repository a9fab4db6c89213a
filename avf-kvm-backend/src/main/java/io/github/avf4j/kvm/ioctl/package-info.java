/**
 * {@code /dev/kvm} as it is: one class for each kind of descriptor (system, VM, vCPU), because the
 * kernel uses some request numbers twice. {@code Kvm} has the C names and numbers; the classes
 * above it have Java names. Offsets and numbers are tested against what a C program printed.
 */
@NullMarked
package io.github.avf4j.kvm.ioctl;

import org.jspecify.annotations.NullMarked;
