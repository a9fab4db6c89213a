/**
 * What the packages of this module share, and of the others only {@code avf-microdroid} sees: key
 * derivation, hashes, PEM, and files that are durable and for their owner alone.
 */
@NullMarked
package io.github.avf4j.attestation.internal;

import org.jspecify.annotations.NullMarked;
