/**
 * A signed payload with secrets, encrypted storage and attestation; see {@code payload/vault.c}.
 */
@NullMarked
package io.github.avf4j.examples.vault;

import org.jspecify.annotations.NullMarked;
