/**
 * Disks for guests: composite disks with their partition tables, Microdroid's payload disk and its
 * metadata, Android sparse images, and the partitions that a guest writes.
 *
 * <p>All that is read is taken as hostile: it is bounded, checked, and refused with an {@link
 * io.github.avf4j.microdroid.image.ImageException}. All that is written appears whole or not at
 * all. Called on any thread; objects are confined to one unless they say otherwise.
 */
@NullMarked
package io.github.avf4j.microdroid.disk;

import org.jspecify.annotations.NullMarked;
