/**
 * How an arm64 machine is before its first instruction: crosvm's memory map, kernel images,
 * firmware and device tree, interrupt controller and vCPUs, and what is different about machines
 * whose memory is protected from the host.
 *
 * <p>All of it runs on the thread that makes the machine. Files are read once, bounded and checked,
 * then used.
 */
@NullMarked
package io.github.avf4j.kvm.boot.arm64;

import org.jspecify.annotations.NullMarked;
