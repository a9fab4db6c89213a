/**
 * The guest's side of virtio, for tests: a {@link io.github.avf4j.virtio.testing.ScriptedDriver}
 * drives a device through its registers and rings as a guest's driver does, well or badly.
 */
@NullMarked
package io.github.avf4j.virtio.testing;

import org.jspecify.annotations.NullMarked;
