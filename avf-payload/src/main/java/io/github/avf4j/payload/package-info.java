/**
 * What Java code that runs <em>inside</em> a virtual machine asks of it; the host's side is {@code
 * io.github.avf4j.Payload.javaClass}.
 *
 * <p>{@link io.github.avf4j.payload.VmPayload} has the functions of AVF's {@code vm_payload.h}, and
 * {@link io.github.avf4j.payload.VsockServer} takes connections of the host, for which Java has no
 * class of its own. A payload is an ordinary class with a {@code main} method; it may call
 * everything here on any thread.
 *
 * <p>Outside a virtual machine every call fails, unless the environment variable {@code
 * AVF_VM_PAYLOAD_SERVICE} names a socket where somebody answers in the manager's place.
 */
@NullMarked
package io.github.avf4j.payload;

import org.jspecify.annotations.NullMarked;
