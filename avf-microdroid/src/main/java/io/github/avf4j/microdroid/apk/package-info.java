/**
 * Payload packages: APKs are made, verified and signed, idsig files (APK signature scheme v4) made
 * and verified.
 *
 * <p>{@link io.github.avf4j.microdroid.apk.ApkVerifier} decides as Microdroid's manager does, and
 * is stricter where a lenient reader could be led astray: what two readers could understand in two
 * ways is refused. The whole file is read once; the same bytes feed the content digest and the
 * Merkle tree, on all processors. {@link io.github.avf4j.microdroid.apk.IdsigWriter} makes the file
 * that the guest needs next to the APK, {@link io.github.avf4j.microdroid.apk.PackageSigner} signs.
 *
 * <p>{@link io.github.avf4j.microdroid.apk.ApkWriter} makes an APK of files.
 *
 * <p>{@link io.github.avf4j.microdroid.apk.PackageZip} lends the zip reader to packages of other
 * kinds.
 *
 * <p>Called by the service when it prepares a machine and by the command line. Whatever is refused
 * is an {@link io.github.avf4j.microdroid.apk.ApkException}; calls block until done.
 */
@NullMarked
package io.github.avf4j.microdroid.apk;

import org.jspecify.annotations.NullMarked;
