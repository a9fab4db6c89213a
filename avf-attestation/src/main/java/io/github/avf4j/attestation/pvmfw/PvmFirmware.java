package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.dice.DiceCertificate;
import io.github.avf4j.attestation.dice.DiceCertificateIssuer;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The firmware: verifies a payload, binds it to an instance, and derives what the guest gets.
 * Thread-safe, but an instance image is confined to one boot at a time.
 */
public final class PvmFirmware {
  private PvmFirmware() {}

  /**
   * Boots: nothing runs, but everything that would let the guest run is decided.
   *
   * @param handover what the loader gave; stays open. Its signatures are not checked, because the
   *     loader is trusted
   * @param material kernel, ramdisk, keys
   * @param instance the instance image, which the legacy mode needs and may write to, else null
   * @return what the guest gets; the caller closes it
   * @throws PvmfwException with the error and the reboot reason if the guest must not run
   */
  public static NextHandover boot(
      DiceHandover handover, BootMaterial material, @Nullable InstanceImage instance) {
    DiceChain chain = requireChain(handover);
    VerifiedPayload payload =
        new PayloadVerifier(material.trustedKeys(), material.revision())
            .verify(material.kernel(), material.initrd());
    Optional<ByteSlice> instanceHash = material.instanceId().map(GuestDiceInput::instanceHash);
    if (instanceHash.isEmpty() && material.revision() == PvmfwRevision.JANUARY_2025) {
      throw new PvmfwException(PvmfwError.MISSING_INSTANCE_ID, "the host gave no instance id");
    }
    RollbackDecision rollback;
    try (InstanceCipher cipher = InstanceCipher.ofPvmfw(handover.cdis().seal())) {
      rollback =
          RollbackDecision.of(
              new RollbackDecision.Question(
                  material.revision(),
                  payload,
                  instanceHash,
                  material.deferRollbackProtection(),
                  material.rollbackRules(),
                  instance),
              cipher);
    }
    return derive(handover, chain, material, payload, instanceHash, rollback);
  }

  private static NextHandover derive(
      DiceHandover handover,
      DiceChain chain,
      BootMaterial material,
      VerifiedPayload payload,
      Optional<ByteSlice> instanceHash,
      RollbackDecision rollback) {
    CoseAlgorithm algorithm = chain.leaf().subjectPublicKey().algorithm();
    DiceHandover next;
    try {
      DiceInput input =
          GuestDiceInput.of(payload, instanceHash, rollback.salt(), rollback.isDeferred());
      next =
          handover.next(
              input, new DiceCertificateIssuer(algorithm, material.revision().profileName()));
    } catch (AttestationException | IllegalArgumentException e) {
      throw new PvmfwException(
          PvmfwError.SECRET_DERIVATION_FAILED,
          "the guest's secrets cannot be derived: " + e.getMessage(),
          e);
    }
    try {
      int pageSize = Math.max(material.pageSize(), payload.pageSize().orElse(0));
      return new NextHandover(next, page(next, pageSize), payload, rollback);
    } catch (RuntimeException e) {
      next.close();
      throw e;
    }
  }

  private static SecretBytes page(DiceHandover next, int pageSize) {
    try (SecretBytes encoded = next.encode()) {
      if (encoded.length() > pageSize) {
        throw new PvmfwException(
            PvmfwError.SECRET_DERIVATION_FAILED,
            "the handover has %d bytes but its page %d".formatted(encoded.length(), pageSize));
      }
      return encoded.use(bytes -> SecretBytes.takeOver(Arrays.copyOf(bytes, pageSize)));
    }
  }

  private static DiceChain requireChain(DiceHandover handover) {
    return handover
        .chain()
        .orElseThrow(
            () ->
                new PvmfwException(PvmfwError.INVALID_DICE_HANDOVER, "the handover has no chain"));
  }

  /**
   * Reads a handover with the checks of the firmware. The caller closes the result.
   *
   * @throws PvmfwException of error INVALID_DICE_HANDOVER
   */
  public static DiceHandover parseHandover(byte[] bytes) {
    try {
      DiceHandover handover = DiceHandover.parse(bytes);
      try {
        requireChain(handover);
        return handover;
      } catch (PvmfwException e) {
        handover.close();
        throw e;
      }
    } catch (PvmfwException e) {
      throw e;
    } catch (AttestationException e) {
      throw new PvmfwException(PvmfwError.INVALID_DICE_HANDOVER, String.valueOf(e.getMessage()), e);
    }
  }

  /** Whether a stage before the firmware ran in debug mode: then a debug policy counts. */
  public static boolean isDebugChain(DiceHandover handover) {
    return handover
        .chain()
        .map(DiceChain::certificates)
        .map(all -> all.stream().map(DiceCertificate::mode).anyMatch(DiceMode.DEBUG::equals))
        .orElse(false);
  }
}
