package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.DiceInput;
import java.security.SecureRandom;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who protects the instance against older code, and the salt of its secrets.
 *
 * @param mode how it was decided
 * @param salt 64 bytes
 * @param newInstance whether the instance has not run before, as far as pvmfw knows
 */
public record RollbackDecision(Mode mode, ByteSlice salt, boolean newInstance) {
  private static final int SALT = 64;

  /** The ways of protection. */
  public enum Mode {
    /** The guest does it with a Secretkeeper. */
    DEFERRED,
    /** The code must have one version: a service VM. */
    FIXED,
    /** The instance image remembers the code: every update is refused. */
    LEGACY
  }

  /** Whether the guest does it: a bit of the hidden input. */
  public boolean isDeferred() {
    return mode == Mode.DEFERRED;
  }

  /** What the decision depends on. */
  record Question(
      PvmfwRevision revision,
      VerifiedPayload payload,
      Optional<ByteSlice> instanceHash,
      boolean hostAsksToDefer,
      long serviceVmVersion,
      @Nullable InstanceImage instance) {}

  /**
   * Says who protects, and checks the rollback index where it decides; reads no instance image.
   *
   * @param payload what was verified
   * @param hostAsksToDefer whether the host asks to let the guest do it
   * @param serviceVmVersion the rollback index that a service VM must have, unsigned
   * @throws PvmfwException of error ROLLBACK_INDEX_ZERO or ROLLBACK_INDEX_MISMATCH
   */
  public static Mode modeOf(
      PvmfwRevision revision,
      VerifiedPayload payload,
      boolean hostAsksToDefer,
      long serviceVmVersion) {
    boolean deferrable =
        payload.has(Capability.TRUSTY_SECURITY_VM)
            || (hostAsksToDefer && payload.has(Capability.SECRETKEEPER_PROTECTION));
    boolean fixed = payload.has(Capability.REMOTE_ATTEST);
    if (fixed && (revision != PvmfwRevision.JANUARY_2025 || !deferrable)) {
      requireVersion(payload, serviceVmVersion);
      return Mode.FIXED;
    }
    if (!deferrable) {
      return Mode.LEGACY;
    }
    if (payload.rollbackIndex() == 0) {
      throw new PvmfwException(
          PvmfwError.ROLLBACK_INDEX_ZERO,
          "rollback protection is deferred to a guest whose rollback index is 0");
    }
    return Mode.DEFERRED;
  }

  private static void requireVersion(VerifiedPayload payload, long serviceVmVersion) {
    if (payload.rollbackIndex() != serviceVmVersion) {
      throw new PvmfwException(
          PvmfwError.ROLLBACK_INDEX_MISMATCH,
          "the rollback index of a service VM must be %s but is %s"
              .formatted(
                  Long.toUnsignedString(serviceVmVersion),
                  Long.toUnsignedString(payload.rollbackIndex())));
    }
  }

  /** Decides; for the legacy mode, reads the instance image and writes to a new one. */
  static RollbackDecision of(Question question, InstanceCipher cipher) {
    Mode mode =
        modeOf(
            question.revision,
            question.payload,
            question.hostAsksToDefer,
            question.serviceVmVersion);
    return mode == Mode.LEGACY
        ? legacy(question, cipher)
        : new RollbackDecision(mode, saltOf(question), false);
  }

  private static RollbackDecision legacy(Question question, InstanceCipher cipher) {
    InstanceImage image = question.instance;
    if (image == null) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_MISSING_IMAGE,
          "rollback protection needs an instance image: give one, or defer to the guest");
    }
    DiceInput draft =
        GuestDiceInput.of(
            question.payload, question.instanceHash, ByteSlice.takeOver(new byte[SALT]), false);
    Optional<InstanceImage.Record> found = image.find(InstanceImage.PVMFW);
    if (found.isPresent()) {
      PvmfwRecord recorded = PvmfwRecord.read(image, found.get(), cipher);
      recorded.requireSame(draft);
      return new RollbackDecision(
          Mode.LEGACY, question.instanceHash.orElse(recorded.salt()), false);
    }
    ByteSlice salt = saltOf(question);
    new PvmfwRecord(draft.codeHash(), draft.authorityHash(), salt, draft.mode())
        .appendTo(image, cipher);
    return new RollbackDecision(Mode.LEGACY, salt, true);
  }

  private static ByteSlice saltOf(Question question) {
    return question.instanceHash.orElseGet(
        () -> {
          byte[] random = new byte[SALT];
          new SecureRandom().nextBytes(random);
          return ByteSlice.takeOver(random);
        });
  }

  /** The mode, never the salt. */
  @Override
  public String toString() {
    return "RollbackDecision[" + mode + (newInstance ? ", new instance]" : "]");
  }
}
