/**
 * APEX files, the packages of Android's own modules: read, verified and made.
 *
 * <p>An APEX is a zip with a manifest, a public key and a file system image that carries its own
 * dm-verity tree and a signature of Android Verified Boot. {@link
 * io.github.avf4j.microdroid.apex.ApexVerifier} checks what a guest checks before it mounts one,
 * and more:
 *
 * <ul>
 *   <li>The payload is hashed against its tree, and its checksum in the zip must hold.
 *   <li>The manifest in the zip must be that in the payload, which alone is signed by the payload's
 *       key, where the payload is an EROFS image that can be read; others get a remark.
 *   <li>A name must be usable as the name of a folder; a version is 1 or more.
 *   <li>One hashtree descriptor only, with a tree that is stored, and no flags in the vbmeta image.
 *   <li>An outer APK signature must verify where there is one; a compressed APEX is refused.
 * </ul>
 *
 * <p>{@link io.github.avf4j.microdroid.apex.ApexWriter} makes the same bytes of the same input.
 * Called by the command line, on one thread; whatever is refused is an {@link
 * io.github.avf4j.microdroid.apex.ApexException}.
 */
@NullMarked
package io.github.avf4j.microdroid.apex;

import org.jspecify.annotations.NullMarked;
