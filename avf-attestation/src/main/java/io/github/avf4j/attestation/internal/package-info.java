/** What the packages of this module share and nobody else sees: key derivation and hashes. */
@NullMarked
package io.github.avf4j.attestation.internal;

import org.jspecify.annotations.NullMarked;
