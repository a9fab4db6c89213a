/**
 * The Open Profile for DICE and the Android Profile for DICE: secrets, keys, certificates, chains.
 *
 * <p>A loader or firmware makes the next layer: {@link
 * io.github.avf4j.attestation.dice.DiceHandover#next} takes the secrets and the chain it was handed
 * and a {@link io.github.avf4j.attestation.dice.DiceInput}, and gives those of the next layer. A
 * verifier takes a chain: {@link io.github.avf4j.attestation.dice.DiceChain#decode} and {@link
 * io.github.avf4j.attestation.dice.DiceChain#verify}, which follows hwtrust.
 *
 * <p>Decisions where the specifications leave room, or where hwtrust is more lenient:
 *
 * <ul>
 *   <li>CBOR that is not deterministic is refused in all that is parsed here, map order excepted.
 *   <li>A chain of one self-signed certificate is refused unless the caller allows it, for any
 *       instance; accepted, it comes with a warning. Those who verify requests of version 2 do
 *       allow it: see the package {@code remote}.
 *   <li>In the first certificate, a configuration descriptor that is not one of the Android profile
 *       (malformed, a reserved or repeated key, a wrong type, the security version missing) is
 *       ignored with a warning where android.14 is in range, and its hash is then not compared. An
 *       RKP VM marker in it does not count.
 *   <li>The size of a configuration hash is checked wherever there is one.
 *   <li>A missing profile name means the oldest accepted profile, if that is android.14 or older.
 *       {@code android.13} is never written as a name.
 *   <li>Profiles that fall along a chain are a warning.
 *   <li>android.18 has the rules of android.16 and adds ML-DSA; it is accepted only where the
 *       caller's range reaches it. ML-DSA in a certificate of an older profile is refused, as
 *       subject key; as root key it needs the range alone. <em>Unconfirmed</em>: the layout of
 *       ML-DSA certificates is checked against one foreign certificate.
 *   <li>A component version is a signed 64-bit integer or text; a security version is an unsigned
 *       64-bit integer.
 *   <li>An issuer in the first certificate is not compared with the root key, and ids are not
 *       compared with keys, unless the caller asks for derived ids.
 *   <li>A chain has at most 256 certificates and 1 MiB.
 *   <li>Bytes after the handover map are ignored, as the reference does, since the memory page is
 *       padded; a handover holds at most one chain more than its two secrets.
 *   <li>Certificates in X.509 are made as open-dice makes them, which its two vectors confirm, and
 *       not read: no chain of AVF holds one. They are not made for ML-DSA.
 * </ul>
 *
 * <p>Called on the caller's thread. Secrets are in {@link io.github.avf4j.attestation.SecretBytes}
 * and the caller closes what holds them.
 */
@NullMarked
package io.github.avf4j.attestation.dice;

import org.jspecify.annotations.NullMarked;
