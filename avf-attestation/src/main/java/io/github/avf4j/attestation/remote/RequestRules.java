package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.DiceChainRules;
import java.time.Instant;
import java.util.Optional;

/**
 * What a provisioning server accepts of a request.
 *
 * @param chain the rules for its DICE chain, which also say for which instance it is
 * @param time when certificates of the device's key must be valid
 * @param factory whether the request was captured in a factory, where values of a finished device
 *     are not there yet
 * @param challenge the challenge that was issued; empty to accept any
 */
public record RequestRules(
    DiceChainRules chain, Instant time, boolean factory, Optional<ByteSlice> challenge) {
  /** Rules for a request with any challenge. */
  public static RequestRules of(DiceChainRules chain, Instant time) {
    return new RequestRules(chain, time, false, Optional.empty());
  }

  /** The same rules for the challenge that was issued. */
  public RequestRules withChallenge(ByteSlice issued) {
    return new RequestRules(chain, time, factory, Optional.of(issued));
  }

  /** The same rules for another kind of chain. */
  public RequestRules withChain(DiceChainRules rules) {
    return new RequestRules(rules, time, factory, challenge);
  }

  /** The same rules for a request that was captured in a factory. */
  public RequestRules forFactory() {
    return new RequestRules(chain, time, true, challenge);
  }
}
