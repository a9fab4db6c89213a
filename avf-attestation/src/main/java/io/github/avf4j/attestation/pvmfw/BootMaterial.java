package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.verity.ImageSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the host gives for a boot, and what the firmware has built in.
 *
 * @param kernel the whole signed file
 * @param initrd the ramdisk without a footer, or null for none
 * @param trustedKeys the keys that may sign kernels: first the one that is built in
 * @param instanceId by which the host tells instances apart; any length, 64 bytes as a rule
 * @param deferRollbackProtection whether the host asks to let the guest do it
 * @param rollbackRules built in: what VMs of a fixed version must be
 * @param pageSize the least size of the handover's page, in bytes
 * @param revision whose rules hold
 */
public record BootMaterial(
    ImageSource kernel,
    @Nullable ImageSource initrd,
    List<AvbPublicKey> trustedKeys,
    Optional<ByteSlice> instanceId,
    boolean deferRollbackProtection,
    RollbackRules rollbackRules,
    int pageSize,
    PvmfwRevision revision) {
  private static final int PAGE = 4096;
  private static final int MAX_ID = 1 << 16;

  /** Checks the ranges. */
  public BootMaterial {
    trustedKeys = List.copyOf(trustedKeys);
    if (pageSize < PAGE || pageSize % PAGE != 0) {
      throw new IllegalArgumentException("pageSize must be a multiple of 4096 but was " + pageSize);
    }
    if (instanceId.isPresent() && instanceId.get().length() > MAX_ID) {
      throw new IllegalArgumentException(
          "instanceId must have at most 65536 bytes but has " + instanceId.get().length());
    }
  }

  /** A kernel by the rules of March 2025, without ramdisk and instance id. */
  public static BootMaterial of(ImageSource kernel, AvbPublicKey trustedKey) {
    return new BootMaterial(
        kernel,
        null,
        List.of(trustedKey),
        Optional.empty(),
        false,
        RollbackRules.of(1),
        PAGE,
        PvmfwRevision.MARCH_2025);
  }

  /** The same with a ramdisk. */
  public BootMaterial withInitrd(ImageSource ramdisk) {
    return new BootMaterial(
        kernel,
        ramdisk,
        trustedKeys,
        instanceId,
        deferRollbackProtection,
        rollbackRules,
        pageSize,
        revision);
  }

  /** The same with an instance id. */
  public BootMaterial withInstanceId(ByteSlice id) {
    return new BootMaterial(
        kernel,
        initrd,
        trustedKeys,
        Optional.of(id),
        deferRollbackProtection,
        rollbackRules,
        pageSize,
        revision);
  }

  /** The same, asking to let the guest protect itself, or not. */
  public BootMaterial withDeferredRollbackProtection(boolean defer) {
    return new BootMaterial(
        kernel, initrd, trustedKeys, instanceId, defer, rollbackRules, pageSize, revision);
  }

  /** The same with other rules for VMs of a fixed version. */
  public BootMaterial withRollbackRules(RollbackRules rules) {
    return new BootMaterial(
        kernel,
        initrd,
        trustedKeys,
        instanceId,
        deferRollbackProtection,
        rules,
        pageSize,
        revision);
  }

  /** The same with further trusted keys, behind those that there are. */
  public BootMaterial withExtraKeys(List<AvbPublicKey> extra) {
    List<AvbPublicKey> all = new ArrayList<>(trustedKeys);
    all.addAll(extra);
    return new BootMaterial(
        kernel,
        initrd,
        all,
        instanceId,
        deferRollbackProtection,
        rollbackRules,
        pageSize,
        revision);
  }

  /** The same by the rules of a revision. */
  public BootMaterial withRevision(PvmfwRevision rules) {
    return new BootMaterial(
        kernel,
        initrd,
        trustedKeys,
        instanceId,
        deferRollbackProtection,
        rollbackRules,
        pageSize,
        rules);
  }
}
