/**
 * The commands about verified boot, DICE and attestation.
 *
 * <p>One class for each command; all extend {@link io.github.avf4j.cli.internal.FileCommand}, which
 * says how they end: 0 for what is valid, 1 for what was read and refused, 2 for what could not be
 * read and for wrong usage. They run on the main thread.
 */
@NullMarked
package io.github.avf4j.cli.attestation;

import org.jspecify.annotations.NullMarked;
