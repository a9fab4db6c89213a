/**
 * COSE keys and signatures (RFC 9052, RFC 9053), as far as Android uses them.
 *
 * <p>A {@link io.github.avf4j.attestation.cose.CosePublicKey} verifies, a {@link
 * io.github.avf4j.attestation.cose.CosePrivateKey} signs; {@link
 * io.github.avf4j.attestation.cose.CoseSign1} and {@link io.github.avf4j.attestation.cose.CoseSign}
 * are the signed messages. Ed25519, ECDSA with P-256 and P-384, ML-DSA-65 and ML-DSA-87. Arithmetic
 * is Bouncy Castle's, through its lightweight interface: no provider is registered anywhere.
 *
 * <p>Decisions where specifications leave room:
 *
 * <ul>
 *   <li>Messages are untagged; a tagged one is refused.
 *   <li>The unprotected header must be empty.
 *   <li>The protected header may hold unknown labels but no {@code crit} (2).
 *   <li>A key may hold {@code kid} (2) and {@code Base IV} (5) besides what its type needs, and
 *       nothing else; a private key is refused.
 *   <li>{@code key_ops} may be missing or empty; otherwise it holds 2 (verify).
 *   <li>Coordinates have the length of the field, no shorter form.
 *   <li>ECDSA signatures made here use the deterministic nonce of RFC 6979, so that a poor source
 *       of random numbers cannot give a key away. Verifiers cannot tell the difference.
 *   <li>Ed25519 is verified as Bouncy Castle does: without the cofactor, S below the group order.
 * </ul>
 *
 * <p>Called on the caller's thread; everything is immutable except that private keys can be closed.
 */
@NullMarked
package io.github.avf4j.attestation.cose;

import org.jspecify.annotations.NullMarked;
