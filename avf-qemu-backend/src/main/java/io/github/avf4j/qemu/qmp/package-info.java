/**
 * The QEMU Machine Protocol: lines of JSON over a Unix socket. QEMU serves a guest that may be
 * hostile, so every line is bounded and checked.
 */
@NullMarked
package io.github.avf4j.qemu.qmp;

import org.jspecify.annotations.NullMarked;
