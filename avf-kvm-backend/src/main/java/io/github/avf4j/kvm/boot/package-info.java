/**
 * What every machine has before its first instruction, whatever its processor, and the seam behind
 * which processors differ: a {@link io.github.avf4j.kvm.boot.Platform} is a processor architecture,
 * a {@link io.github.avf4j.kvm.boot.Board} is what one machine of it is built on.
 *
 * <p>All of it runs on the thread that makes the machine unless it says otherwise.
 */
@NullMarked
package io.github.avf4j.kvm.boot;

import org.jspecify.annotations.NullMarked;
