/**
 * A relying party at work: {@link io.github.avf4j.examples.attestation.RelyingParty} decides,
 * {@link io.github.avf4j.examples.attestation.SampleDevice} plays all that stands on the other
 * side. {@link io.github.avf4j.examples.attestation.JudgeMachine} decides about files that a
 * machine of one's own host brought. Everything runs on the caller's thread.
 */
@NullMarked
package io.github.avf4j.examples.attestation;

import org.jspecify.annotations.NullMarked;
