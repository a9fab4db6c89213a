/**
 * What all readers and writers of images share: the one exception, reading inside bounds, files
 * that appear whole or not at all, and the magic numbers by which formats are told apart.
 *
 * <p>Called by {@code disk}, {@code boot} and {@code erofs}, and by whoever catches what they
 * throw, on any thread.
 */
@NullMarked
package io.github.avf4j.microdroid.image;

import org.jspecify.annotations.NullMarked;
