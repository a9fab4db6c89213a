/**
 * How this host answers guests that ask for a key to be certified: it plays the service VM, which
 * checks the request, and the provisioning server, which certifies the service VM.
 *
 * <p>The root is the host's own, {@link io.github.avf4j.attestation.remote.HostRoot}. What it
 * vouches for is believed on the word of the host's owner: no hardware and no vendor stands behind
 * it. Every chain has layers in debug mode, so that relying parties see that the machine is not
 * protected against its host, and refuse it unless their policy says otherwise.
 *
 * <p>Called on the thread that hears what a guest reports.
 */
@NullMarked
package io.github.avf4j.service.attest;

import org.jspecify.annotations.NullMarked;
