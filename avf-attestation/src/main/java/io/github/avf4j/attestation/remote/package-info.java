/**
 * Remote attestation: what a machine asks for, who certifies it, and how a relying party decides.
 *
 * <p>A machine makes a {@link io.github.avf4j.attestation.remote.ClientVmCsr}; {@link
 * io.github.avf4j.attestation.remote.ServiceVm} checks it and certifies the key with {@link
 * io.github.avf4j.attestation.remote.AttestationExtension}; {@link
 * io.github.avf4j.attestation.remote.AttestationVerifier} verifies the certificates by an {@link
 * io.github.avf4j.attestation.remote.AttestationPolicy} and names every check. The service VM's own
 * keys and request are {@link io.github.avf4j.attestation.remote.RkpKeys} and {@link
 * io.github.avf4j.attestation.remote.RkpVmCsr}; a provisioning server verifies such requests, and
 * those of other devices, with {@link io.github.avf4j.attestation.remote.ProvisioningRequest} and
 * {@link io.github.avf4j.attestation.remote.FactoryRequests}, as hwtrust does, and certifies
 * service VMs of a deployment of its own with {@link
 * io.github.avf4j.attestation.remote.ProvisioningAuthority}. A host that vouches for its own
 * machines keeps the key of such a root in a file, {@link
 * io.github.avf4j.attestation.remote.HostRoot}.
 *
 * <p>Decisions where the reference leaves room or was never confirmed:
 *
 * <ul>
 *   <li>The client's request has the layout of the code, not of the CDDL: chain and signed part are
 *       byte strings, the key stands before the challenge, the body's header has no bytes.
 *   <li>The service VM follows the order and the errors of the reference. Its chains are parsed as
 *       everywhere here, so unknown labels in a certificate are refused, which the reference is
 *       silent about; the rules of hwtrust are an option of the builder.
 *   <li><em>Unconfirmed</em>: the property with the root digest of the vendor partition is accepted
 *       raw, as the reference compares it, and as 64 lower-case hexadecimal digits, as hosts write
 *       it.
 *   <li>A known kernel with the debug ramdisk whose chain is in normal mode throughout is refused.
 *   <li>Certificates are read in strict DER with a serial number that is positive and of at most 20
 *       bytes. Names are the same when their bytes are. RSA keys have 2048 to 16384 bits; hashes
 *       are of SHA-2. Issuers need basic constraints that make them authorities, and keyCertSign
 *       where they have a key usage. A subject occurs once in a chain.
 *   <li>The leaf may carry unknown extensions that are not critical. The attestation extension is
 *       in the leaf alone. Components are named once; their hashes have 20 to 64 bytes; a challenge
 *       has at most 64.
 *   <li>An accepted root may be sent along or left out. A certificate above the leaf with an
 *       accepted root's name and key is replaced by that root.
 *   <li>The relying party refuses debuggable machines and components that its policy does not name,
 *       unless told otherwise: extra components must be judged, so a program says that it accepts
 *       them. The command line, whose options name what is required and not all that runs, accepts
 *       them and names each in the result, unless told otherwise. Revocation is a list of serial
 *       numbers in the policy; nothing is fetched.
 *   <li>Requests of version 2 are decrypted with the published endpoint keys. Their keys must
 *       verify under the MAC, their device info must be in canonical order and say version 2; the
 *       certificates of the device's key are parsed and not verified, with a warning.
 *   <li>In requests of version 3 the certificates of the device's key are verified at the time that
 *       the rules give. A private key among the keys to sign is a warning, in a chain an error.
 *   <li>Device info may leave out the security level. Values that a device gets after the factory
 *       are required of requests that were not captured in one.
 *   <li>A chain of one self-signed certificate is accepted in requests of version 2, with a
 *       warning, as hwtrust does by default: it is the chain of devices without DICE, for which
 *       that version was made, and says no more than the key itself. {@link
 *       io.github.avf4j.attestation.remote.RequestRules#withDegenerateInVersion2} refuses it. In
 *       requests of version 3 and of client machines, and in a chain alone, it is refused unless
 *       the rules for chains allow it; there hwtrust is more lenient.
 *   <li>Requests captured in a factory need layers in normal mode like any others, unless the rules
 *       allow any mode.
 *   <li>The certificate type of the service VM is {@code rkp-vm} when a request is verified;
 *       January 2025 wrote {@code keymint}, which is made on request and not accepted.
 * </ul>
 *
 * <p>Called on the caller's thread; nothing but the root's file blocks, and nothing is logged.
 */
@NullMarked
package io.github.avf4j.attestation.remote;

import org.jspecify.annotations.NullMarked;
