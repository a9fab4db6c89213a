/**
 * A payload without an operating system in a protected machine: it proves what it is, answers with
 * a secret, and keeps it from the host.
 */
@NullMarked
package io.github.avf4j.examples.protect;

import org.jspecify.annotations.NullMarked;
