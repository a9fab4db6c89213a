/**
 * Merkle trees over block data: dm-verity as Android Verified Boot uses it, and fs-verity as APK
 * signature scheme v4 does.
 *
 * <p>{@link io.github.avf4j.attestation.verity.MerkleTree} reads an {@link
 * io.github.avf4j.attestation.verity.ImageSource} once, hashes its blocks on all processors and
 * hands the tree to a {@link io.github.avf4j.attestation.verity.TreeSink} as it grows; neither the
 * image nor the tree is ever held in memory. Trees of different formats differ only in their {@link
 * io.github.avf4j.attestation.verity.MerkleParameters}.
 *
 * <p>Called by {@code avb} and by whoever makes or checks an idsig. The caller's thread waits while
 * daemon threads named {@code avf-verity-N} hash; they end before the call returns.
 */
@NullMarked
package io.github.avf4j.attestation.verity;

import org.jspecify.annotations.NullMarked;
