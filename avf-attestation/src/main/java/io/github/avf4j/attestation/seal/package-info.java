/**
 * Secrets of a virtual machine: what it derives, what it seals, and who keeps them from older code.
 *
 * <p>{@link io.github.avf4j.attestation.seal.VmSecret} derives the secrets of a payload from the
 * sealing CDI. {@link io.github.avf4j.attestation.seal.SealingPolicy} says which chains may have a
 * secret; a {@link io.github.avf4j.attestation.seal.SecretKeeper} holds secrets and lets them out
 * by policy alone. {@link io.github.avf4j.attestation.seal.AuthGraphSource} and {@link
 * io.github.avf4j.attestation.seal.AuthGraphSink} agree on the keys of a {@link
 * io.github.avf4j.attestation.seal.SecretChannel} between a machine and a keeper; {@link
 * io.github.avf4j.attestation.seal.SecretKeeperSession} is the keeper's side from the first message
 * to the last. {@link io.github.avf4j.attestation.seal.DeviceSecret} is the root of trust of a host
 * that has none.
 *
 * <p>Decisions where the reference leaves room or was never confirmed:
 *
 * <ul>
 *   <li><em>Unconfirmed</em>, all behind {@link io.github.avf4j.attestation.seal.AuthGraphDialect}:
 *       the sequence number in the external AAD of a message is its CBOR integer; the chains in the
 *       salt of the key exchange are byte strings whose content is the explicit-key chain; the
 *       algorithm of an exchange key is -25 when written, -25 and -27 when read; the version of
 *       both sides is 1.
 *   <li><em>Unconfirmed</em>: error codes of the keeper are those of the CDDL ({@link
 *       io.github.avf4j.attestation.seal.SecretKeeperError}); a code that it does not name is
 *       reported as an unexpected server error.
 *   <li>A policy is built for the chain as it is: a named component that the chain does not have is
 *       not constrained, a named component without the value is an error where the list says so.
 *   <li>A policy with another version than 1, an unknown constraint or a path that is not made of
 *       integers is refused. Keys in bytes that a path leads through may stand in any order.
 *   <li>A new policy must match the chain of the client that gives it, so that nobody seals a
 *       secret away from itself. It may be weaker than the one before: whoever may replace it has
 *       the secret already.
 *   <li>A chain shown to a keeper has valid signatures, issuers that are the subjects before them,
 *       and no subject or key twice; the sink may be a root key alone.
 *   <li>The file-backed keeper cannot notice that its whole directory was put back to an earlier
 *       state. That takes storage which only moves forward, and is behind the same interface.
 *   <li>The messages of the key exchange, which are parcelables of Binder in AVF, are arrays in
 *       CBOR where they travel as bytes.
 *   <li>Arcs, in which a device keeps the keys of an exchange between its steps, never leave it;
 *       here they stay in the objects of the exchange.
 * </ul>
 *
 * <p>Files are read and written on the caller's thread, which blocks; no threads are started.
 */
@NullMarked
package io.github.avf4j.attestation.seal;

import org.jspecify.annotations.NullMarked;
