/**
 * What the packages of this module share and nobody else sees: key derivation, hashes, and files
 * that are durable and for their owner alone.
 */
@NullMarked
package io.github.avf4j.attestation.internal;

import org.jspecify.annotations.NullMarked;
