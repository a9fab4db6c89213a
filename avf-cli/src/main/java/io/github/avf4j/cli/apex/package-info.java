/**
 * The commands about APEX files. All extend {@link io.github.avf4j.cli.internal.FileCommand}, which
 * says how they end. They run on the main thread.
 */
@NullMarked
package io.github.avf4j.cli.apex;

import org.jspecify.annotations.NullMarked;
