/**
 * The entropy device (virtio 1.2, section 5.4). Backends make it; its queue is served on the event
 * loop.
 */
@NullMarked
package io.github.avf4j.virtio.rng;

import org.jspecify.annotations.NullMarked;
