/**
 * Android's boot images: kernels, ramdisks, device trees and bootconfig in the containers in which
 * Android ships them, read and written; and what a machine boots of them.
 *
 * <p>All that is read is taken as hostile: it is bounded, checked, and refused with an {@link
 * io.github.avf4j.microdroid.image.ImageException}. Readers hold no content: parts are ranges of
 * the image, which must stay open. Called on any thread.
 */
@NullMarked
package io.github.avf4j.microdroid.boot;

import org.jspecify.annotations.NullMarked;
