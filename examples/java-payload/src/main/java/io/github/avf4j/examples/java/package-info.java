/**
 * A Java class in a virtual machine: {@link io.github.avf4j.examples.java.NextPrime} runs in the
 * guest, {@link io.github.avf4j.examples.java.AskForPrime} on the host.
 */
@NullMarked
package io.github.avf4j.examples.java;

import org.jspecify.annotations.NullMarked;
