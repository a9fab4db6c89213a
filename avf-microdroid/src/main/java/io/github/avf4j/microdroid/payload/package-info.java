/** The disk on which a guest finds its payload. Called by the service when a machine is run. */
@NullMarked
package io.github.avf4j.microdroid.payload;

import org.jspecify.annotations.NullMarked;
