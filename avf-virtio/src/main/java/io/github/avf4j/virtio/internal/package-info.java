/** What the packages of this module share; not exported. */
@NullMarked
package io.github.avf4j.virtio.internal;

import org.jspecify.annotations.NullMarked;
