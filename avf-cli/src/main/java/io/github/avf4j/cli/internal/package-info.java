/**
 * What commands have in common: how they end and what they print, the files that they read and
 * write, keys, values of options.
 *
 * <p>{@link io.github.avf4j.cli.internal.FileCommand} is the base of every command about files.
 * Called by the command packages, on the main thread.
 */
@NullMarked
package io.github.avf4j.cli.internal;

import org.jspecify.annotations.NullMarked;
