package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.cose.CosePublicKey;
import java.util.List;

/**
 * A chain that satisfied the rules. Only {@link DiceChain#verify} makes one, so a method that takes
 * it cannot be handed a chain that nobody verified. Immutable and thread-safe.
 *
 * <p>It says that the chain is consistent. Whether the root key is one to trust, and what the
 * layers are, is for the caller to judge.
 */
public final class VerifiedDiceChain {
  private final DiceChain chain;
  private final DiceChainRules rules;
  private final boolean degenerate;
  private final List<DiceWarning> warnings;

  VerifiedDiceChain(
      DiceChain chain, DiceChainRules rules, boolean degenerate, List<DiceWarning> warnings) {
    this.chain = chain;
    this.rules = rules;
    this.degenerate = degenerate;
    this.warnings = List.copyOf(warnings);
  }

  /** The chain. */
  public DiceChain chain() {
    return chain;
  }

  /** The rules it satisfied. */
  public DiceChainRules rules() {
    return rules;
  }

  /** The certificates, the first signed with the root key. */
  public List<DiceCertificate> certificates() {
    return chain.certificates();
  }

  /** The key that signed the first certificate. */
  public CosePublicKey rootKey() {
    return chain.rootKey();
  }

  /** The key of the last layer. */
  public CosePublicKey leafKey() {
    return chain.leaf().subjectPublicKey();
  }

  /** Whether the chain is one self-signed certificate, which describes nothing. */
  public boolean isDegenerate() {
    return degenerate;
  }

  /** Whether every layer is in normal mode. */
  public boolean isNormalMode() {
    return chain.certificates().stream().allMatch(layer -> layer.mode() == DiceMode.NORMAL);
  }

  /** What is accepted but should be known; empty most of the time. */
  public List<DiceWarning> warnings() {
    return warnings;
  }
}
