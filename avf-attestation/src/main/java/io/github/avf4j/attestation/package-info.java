/**
 * Verified boot, DICE, sealing and remote attestation, byte-compatible with Android.
 *
 * <p>This module needs no hypervisor and no native code, and of avf4j only {@code avf-devicetree}:
 * a server that only checks what a device or a virtual machine presents depends on it alone. This
 * package holds what all others share: the exception root, immutable byte ranges and the holder of
 * secrets. The other packages stand in this order, each uses only those before it:
 *
 * <ul>
 *   <li>{@code cbor}: a strict deterministic codec
 *   <li>{@code cose}: keys, signatures
 *   <li>{@code dice}: derivation of secrets and keys, certificates, chains
 *   <li>{@code avb}, {@code pvmfw}, {@code seal}, {@code remote}: what is built on them
 * </ul>
 *
 * <p>Every parser here takes hostile bytes. It allocates no more than a small multiple of its
 * input, its input is bounded, and it throws nothing but an {@link
 * io.github.avf4j.attestation.AttestationException}. Nothing here blocks or starts threads.
 */
@NullMarked
package io.github.avf4j.attestation;

import org.jspecify.annotations.NullMarked;
