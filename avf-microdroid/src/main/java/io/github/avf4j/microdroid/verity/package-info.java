/**
 * fs-verity digests and files, and device-mapper tables for verified images.
 *
 * <p>The trees themselves are made by {@link io.github.avf4j.attestation.verity.MerkleTree}. Called
 * by the command line and by whoever prepares images; calls block until done.
 */
@NullMarked
package io.github.avf4j.microdroid.verity;

import org.jspecify.annotations.NullMarked;
