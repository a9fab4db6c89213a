/**
 * Kernel images and kernel modules as distributions ship them: unpacks a bzImage, finds modules and
 * their load order.
 *
 * <p>All that is read is taken as hostile: sizes are bounded, offsets checked.
 */
@NullMarked
package io.github.avf4j.microdroid.kernel;

import org.jspecify.annotations.NullMarked;
