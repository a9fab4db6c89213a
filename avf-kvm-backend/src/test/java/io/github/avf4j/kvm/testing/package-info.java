/** Tiny guests for tests, and what tests of many machines have in common. */
@NullMarked
package io.github.avf4j.kvm.testing;

import org.jspecify.annotations.NullMarked;
