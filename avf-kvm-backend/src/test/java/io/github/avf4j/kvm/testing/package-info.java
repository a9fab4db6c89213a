/** Tiny guests for tests. */
@NullMarked
package io.github.avf4j.kvm.testing;

import org.jspecify.annotations.NullMarked;
