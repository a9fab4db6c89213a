package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.AttestationException;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when a DICE chain, certificate, descriptor or handover is malformed or breaks a rule.
 *
 * <p>Where a certificate of a chain is at fault, its index counts from 0, the one that the root key
 * signed.
 */
public final class DiceException extends AttestationException {
  private static final long serialVersionUID = 1L;

  private final DiceRule rule;
  private final int certificate;

  /** Makes an exception that concerns no certificate in particular. */
  public DiceException(DiceRule rule, String reason, long position) {
    super(reason, position);
    this.rule = rule;
    this.certificate = -1;
  }

  /** Makes an exception that concerns no certificate in particular, of what led to it. */
  DiceException(DiceRule rule, String what, AttestationException cause) {
    super(what + ": " + cause.reason(), cause.position().orElse(-1), cause);
    this.rule = rule;
    this.certificate = -1;
  }

  private DiceException(
      DiceRule rule,
      int certificate,
      String reason,
      long position,
      @Nullable AttestationException cause) {
    super("certificate " + certificate + ": " + reason, position, cause);
    this.rule = rule;
    this.certificate = certificate;
  }

  /** Makes an exception about one certificate of a chain. */
  static DiceException of(DiceRule rule, int certificate, String reason, long position) {
    return new DiceException(rule, certificate, reason, position, null);
  }

  /** Says which certificate of a chain another exception is about. */
  static DiceException of(DiceRule rule, int certificate, AttestationException cause) {
    DiceRule broken = cause instanceof DiceException dice ? dice.rule() : rule;
    return new DiceException(
        broken, certificate, cause.reason(), cause.position().orElse(-1), cause);
  }

  /** The rule that is broken. */
  public DiceRule rule() {
    return rule;
  }

  /** The index of the certificate at fault, where it is one. */
  public OptionalInt certificate() {
    return certificate < 0 ? OptionalInt.empty() : OptionalInt.of(certificate);
  }
}
