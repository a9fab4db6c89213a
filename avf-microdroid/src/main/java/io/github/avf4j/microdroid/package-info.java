/**
 * The images that a payload's machine boots, made once and kept in the user's cache folder.
 *
 * <p>Called by the service on the thread that runs a machine. {@link
 * io.github.avf4j.microdroid.GuestImages} is the way in; {@code kernel} and {@code initrd} do its
 * work.
 */
@NullMarked
package io.github.avf4j.microdroid;

import org.jspecify.annotations.NullMarked;
