package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.internal.Digests;
import java.nio.charset.StandardCharsets;
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
    /** The code must have one version: a service VM, and since 2026 VMs of reserved names. */
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
      RollbackRules rules,
      @Nullable InstanceImage instance) {}

  /**
   * Says who protects, and checks the rollback index where it decides; reads no instance image.
   *
   * @param payload what was verified
   * @param hostAsksToDefer whether the host asks to let the guest do it
   * @param rules what VMs of a fixed version must be
   * @throws PvmfwException of one of the ROLLBACK errors
   */
  public static Mode modeOf(
      PvmfwRevision revision,
      VerifiedPayload payload,
      boolean hostAsksToDefer,
      RollbackRules rules) {
    boolean deferrable =
        payload.has(Capability.TRUSTY_SECURITY_VM)
            || (hostAsksToDefer && payload.has(Capability.SECRETKEEPER_PROTECTION));
    boolean fixed =
        switch (revision) {
          case JANUARY_2025 -> !deferrable && rules.fixesServiceVm(payload);
          case MARCH_2025 -> rules.fixesServiceVm(payload);
          case HEAD_2026 -> rules.fixesByName(payload);
        };
    if (fixed) {
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

  /** Decides; for the legacy mode, reads the instance image and writes to a new one. */
  static RollbackDecision of(Question question, InstanceCipher cipher) {
    Mode mode =
        modeOf(question.revision, question.payload, question.hostAsksToDefer, question.rules);
    if (mode == Mode.LEGACY) {
      return legacy(question, cipher);
    }
    ByteSlice salt =
        question.instanceHash.orElseThrow(
            () ->
                new PvmfwException(
                    PvmfwError.MISSING_INSTANCE_ID,
                    "the secrets of this guest hang on an instance id: give one"));
    return new RollbackDecision(mode, salt, false);
  }

  private static RollbackDecision legacy(Question question, InstanceCipher cipher) {
    boolean head = question.revision == PvmfwRevision.HEAD_2026;
    InstanceImage image = question.instance;
    if (image == null) {
      if (head) {
        return new RollbackDecision(Mode.LEGACY, randomSalt(randomBytes()), true);
      }
      throw new PvmfwException(
          PvmfwError.INSTANCE_MISSING_IMAGE,
          "rollback protection needs an instance image: give one, or defer to the guest");
    }
    DiceInput draft =
        GuestDiceInput.of(
            question.payload, question.instanceHash, ByteSlice.takeOver(new byte[SALT]), false);
    Optional<InstanceImage.Record> found = image.find(InstanceImage.PVMFW);
    ByteSlice recorded;
    if (found.isPresent()) {
      PvmfwRecord record = PvmfwRecord.read(image, found.get(), cipher);
      record.requireSame(draft);
      recorded = record.salt();
    } else {
      recorded = head ? randomBytes() : question.instanceHash.orElseGet(() -> randomBytes());
      new PvmfwRecord(draft.codeHash(), draft.authorityHash(), recorded, draft.mode())
          .appendTo(image, cipher);
    }
    ByteSlice salt = head ? randomSalt(recorded) : question.instanceHash.orElse(recorded);
    return new RollbackDecision(Mode.LEGACY, salt, found.isEmpty());
  }

  // Since 2026, so that no recorded value can be an instance hash.
  private static ByteSlice randomSalt(ByteSlice random) {
    byte[] label = "RNG_BASED".getBytes(StandardCharsets.US_ASCII);
    return ByteSlice.takeOver(Digests.sha512(label, random.toByteArray()));
  }

  private static ByteSlice randomBytes() {
    byte[] random = new byte[SALT];
    new SecureRandom().nextBytes(random);
    return ByteSlice.takeOver(random);
  }

  /** The mode, never the salt. */
  @Override
  public String toString() {
    return "RollbackDecision[" + mode + (newInstance ? ", new instance]" : "]");
  }
}
