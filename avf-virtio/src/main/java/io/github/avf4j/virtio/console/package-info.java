/**
 * The console device (virtio 1.2, section 5.3) with one port: the guest's hvc0.
 *
 * <p>Backends make it. What the guest prints goes to a {@link io.github.avf4j.spi.ByteSink} on the
 * event loop; what a user types comes through a blocking stream on the user's threads.
 */
@NullMarked
package io.github.avf4j.virtio.console;

import org.jspecify.annotations.NullMarked;
