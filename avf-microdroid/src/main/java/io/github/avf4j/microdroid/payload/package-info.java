/**
 * What a guest finds of its payload: a disk with an executable, or all files of a VM whose payload
 * is an APK.
 *
 * <p>{@link io.github.avf4j.microdroid.payload.PayloadDisk} is called by the service when a machine
 * is run. {@link io.github.avf4j.microdroid.payload.VmFolder} verifies an APK, honours the
 * configuration in it, verifies the extra APKs and APEXes, and makes idsigs, payload disk, instance
 * image, encrypted store and instance id; what fails is a {@link
 * io.github.avf4j.microdroid.payload.PackException}. Calls block until done.
 */
@NullMarked
package io.github.avf4j.microdroid.payload;

import org.jspecify.annotations.NullMarked;
