/**
 * QEMU as a process: the binary and what it can do, the command line, the supervisor that ends it
 * with the JVM, and its folder of sockets.
 */
@NullMarked
package io.github.avf4j.qemu.process;

import org.jspecify.annotations.NullMarked;
