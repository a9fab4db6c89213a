package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.dice.DiceHandover;

/**
 * What a guest starts with. Closing wipes the secrets.
 *
 * @param handover the guest's secrets and its chain
 * @param page the handover as it stands in memory, zeros after it, a multiple of the page size
 * @param payload what was verified
 * @param rollback how the instance is protected
 */
public record NextHandover(
    DiceHandover handover, SecretBytes page, VerifiedPayload payload, RollbackDecision rollback)
    implements AutoCloseable {
  /** Whether the guest's device tree says {@code avf,new-instance}. */
  public boolean isNewInstance() {
    return rollback.newInstance();
  }

  /** Wipes the secrets. */
  @Override
  public void close() {
    handover.close();
    page.close();
  }
}
