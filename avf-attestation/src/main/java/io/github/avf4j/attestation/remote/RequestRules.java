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
 * @param degenerateInVersion2 whether the chain of a request of version 2 may be one self-signed
 *     certificate even where the rules for chains refuse that
 */
public record RequestRules(
    DiceChainRules chain,
    Instant time,
    boolean factory,
    Optional<ByteSlice> challenge,
    boolean degenerateInVersion2) {
  /** Rules for a request with any challenge, of version 2 also with a degenerate chain. */
  public static RequestRules of(DiceChainRules chain, Instant time) {
    return new RequestRules(chain, time, false, Optional.empty(), true);
  }

  /** The same rules for the challenge that was issued. */
  public RequestRules withChallenge(ByteSlice issued) {
    return new RequestRules(chain, time, factory, Optional.of(issued), degenerateInVersion2);
  }

  /** The same rules for another kind of chain. */
  public RequestRules withChain(DiceChainRules rules) {
    return new RequestRules(rules, time, factory, challenge, degenerateInVersion2);
  }

  /** The same rules for a request that was captured in a factory. */
  public RequestRules forFactory() {
    return new RequestRules(chain, time, true, challenge, degenerateInVersion2);
  }

  /** The same rules, with a degenerate chain in version 2 accepted or left to the chain's rules. */
  public RequestRules withDegenerateInVersion2(boolean allow) {
    return new RequestRules(chain, time, factory, challenge, allow);
  }

  /** The rules for the chain of a request of version 2. */
  DiceChainRules chainOfVersion2() {
    return chain.withDegenerate(chain.allowDegenerate() || degenerateInVersion2);
  }
}
