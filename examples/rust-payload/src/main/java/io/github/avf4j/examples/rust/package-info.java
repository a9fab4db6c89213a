/**
 * A payload in Rust: {@code payload/src/lib.rs} runs in the guest, {@link
 * io.github.avf4j.examples.rust.StampDocument} on the host.
 */
@NullMarked
package io.github.avf4j.examples.rust;

import org.jspecify.annotations.NullMarked;
