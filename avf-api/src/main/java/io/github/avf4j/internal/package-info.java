/** What the configuration types of avf4j's own modules share; exported to those only. */
@NullMarked
package io.github.avf4j.internal;

import org.jspecify.annotations.NullMarked;
