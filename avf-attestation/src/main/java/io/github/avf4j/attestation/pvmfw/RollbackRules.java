package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import java.util.List;
import java.util.Optional;

/**
 * What VMs must be whose version the firmware fixes. Immutable.
 *
 * @param serviceVmVersion the rollback index of a service VM, unsigned: a small number in 2025, the
 *     time stamp of the platform's security patch since
 * @param desktopTrustyKernel the SHA-256 of the one kernel that may be called {@code
 *     desktop-trusty}, since 2026; without it none may
 * @param reserved what the configuration data reserves, since 2026
 */
public record RollbackRules(
    long serviceVmVersion, Optional<ByteSlice> desktopTrustyKernel, List<ReservedName> reserved) {
  private static final String SERVICE_VM = "rkp_vm";
  private static final String DESKTOP_TRUSTY = "desktop-trusty";
  private static final int OWN_KEY = 0;

  /** Copies the list. */
  public RollbackRules {
    reserved = List.copyOf(reserved);
  }

  /** Rules that know the version of a service VM and reserve no names. */
  public static RollbackRules of(long serviceVmVersion) {
    return new RollbackRules(serviceVmVersion, Optional.empty(), List.of());
  }

  /** The same with the kernel that may be called {@code desktop-trusty}. */
  public RollbackRules withDesktopTrusty(ByteSlice kernelDigest) {
    return new RollbackRules(serviceVmVersion, Optional.of(kernelDigest), reserved);
  }

  /** The same with names that the configuration data reserves. */
  public RollbackRules withReserved(List<ReservedName> names) {
    return new RollbackRules(serviceVmVersion, desktopTrustyKernel, names);
  }

  /** Whether the version is fixed by the rule of 2025, which goes by capability. */
  boolean fixesServiceVm(VerifiedPayload payload) {
    if (!payload.has(Capability.REMOTE_ATTEST)) {
      return false;
    }
    requireIndex(payload, serviceVmVersion);
    return true;
  }

  /** Whether the version is fixed by the rules of 2026, which go by the name of the VM. */
  boolean fixesByName(VerifiedPayload payload) {
    String name = payload.name().orElse("");
    if (name.equals(SERVICE_VM)) {
      requireKey(payload, OWN_KEY);
      requireIndex(payload, serviceVmVersion);
      return true;
    }
    if (name.equals(DESKTOP_TRUSTY)) {
      if (desktopTrustyKernel.filter(payload.kernelDigest()::equals).isEmpty()) {
        throw new PvmfwException(
            PvmfwError.ROLLBACK_NAME_RESERVED, "the kernel is not the one that may have its name");
      }
      return true;
    }
    for (ReservedName entry : reserved) {
      if (entry.vmName().equals(name)) {
        if (entry.isForNobody()) {
          throw new PvmfwException(
              PvmfwError.ROLLBACK_NAME_RESERVED, "no VM may have the name of this one");
        }
        requireKey(payload, entry.keyIndex());
        requireIndex(payload, entry.rollbackIndex());
        return true;
      }
    }
    return false;
  }

  private static void requireKey(VerifiedPayload payload, int index) {
    if (payload.keyIndex() != index) {
      throw new PvmfwException(
          PvmfwError.ROLLBACK_KEY_MISMATCH,
          "a VM of this name must be signed with trusted key %d but is with %d"
              .formatted(index, payload.keyIndex()));
    }
  }

  private static void requireIndex(VerifiedPayload payload, long index) {
    if (payload.rollbackIndex() != index) {
      throw new PvmfwException(
          PvmfwError.ROLLBACK_INDEX_MISMATCH,
          "the rollback index of this VM must be %s but is %s"
              .formatted(
                  Long.toUnsignedString(index), Long.toUnsignedString(payload.rollbackIndex())));
    }
  }
}
