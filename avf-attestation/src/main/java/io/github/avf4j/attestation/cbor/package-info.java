/**
 * CBOR (RFC 8949) in its deterministic form, and nothing else.
 *
 * <p>{@link io.github.avf4j.attestation.cbor.CborReader} turns bytes into a tree of {@link
 * io.github.avf4j.attestation.cbor.CborValue}; {@link io.github.avf4j.attestation.cbor.CborWriter}
 * writes items one after the other. What is refused:
 *
 * <ul>
 *   <li>heads longer than needed, and floating point numbers longer than needed
 *   <li>indefinite lengths
 *   <li>a key that occurs twice in one map
 *   <li>text that is not UTF-8
 *   <li>bytes after the item, unless the caller reads a sequence or a prefix
 *   <li>anything beyond {@link io.github.avf4j.attestation.cbor.CborLimits}
 * </ul>
 *
 * <p>The order of map keys is the exception. Certificates and configuration descriptors of Android
 * are not in canonical order, and their bytes are signed, so a reader takes any order unless it is
 * told otherwise, keeps it, and a writer writes entries as they are given. Therefore a tree and its
 * bytes correspond one to one: writing a decoded value gives back the bytes it came from.
 *
 * <p>Called by all packages of this module, on the caller's thread.
 */
@NullMarked
package io.github.avf4j.attestation.cbor;

import org.jspecify.annotations.NullMarked;
