/**
 * The first example. {@code TenLines} is the README's; {@code Hello} is the same with real work, a
 * check of the answer and a look at the clock.
 */
@NullMarked
package io.github.avf4j.examples.hello;

import org.jspecify.annotations.NullMarked;
