package io.github.avf4j.attestation.pvmfw;

/** Every way in which the firmware refuses to boot, by the names of the reference. */
public enum PvmfwError {
  /** The configuration blob or its table of entries is cut off. */
  CONFIG_BUFFER_TOO_SMALL(RebootReason.INVALID_CONFIG_DATA),
  /** The configuration blob does not begin at a multiple of 4. */
  CONFIG_HEADER_MISALIGNED(RebootReason.INVALID_CONFIG_DATA),
  /** The configuration blob does not begin with its magic. */
  CONFIG_INVALID_MAGIC(RebootReason.INVALID_CONFIG_DATA),
  /** The total size is impossible. */
  CONFIG_INVALID_SIZE(RebootReason.INVALID_CONFIG_DATA),
  /** An entry is not between table and total size. */
  CONFIG_ENTRY_OUT_OF_BOUNDS(RebootReason.INVALID_CONFIG_DATA),
  /** An entry begins before the end of the one before. */
  CONFIG_ENTRY_OUT_OF_ORDER(RebootReason.INVALID_CONFIG_DATA),
  /** The DICE handover is absent. */
  CONFIG_MISSING_ENTRY(RebootReason.INVALID_CONFIG_DATA),
  /** The major version is not 1. */
  CONFIG_UNSUPPORTED_VERSION(RebootReason.INVALID_CONFIG_DATA),
  /** The reserved-memory entry contradicts itself. */
  CONFIG_INVALID_RESERVED_MEMORY(RebootReason.INVALID_CONFIG_DATA),
  /** The rollback configuration contradicts itself. */
  CONFIG_INVALID_ROLLBACK(RebootReason.INVALID_CONFIG_DATA),

  /** The DICE handover or its chain is malformed. */
  INVALID_DICE_HANDOVER(RebootReason.INVALID_DICE_HANDOVER),

  /** AVB: something lies outside of the kernel's bytes. */
  AVB_IO(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** AVB: metadata is damaged or contradicts itself. */
  AVB_INVALID_METADATA(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** AVB: a signature or digest does not hold. */
  AVB_VERIFICATION(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** AVB: the key is not trusted. */
  AVB_PUBLIC_KEY_REJECTED(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** AVB: a newer libavb is needed. */
  AVB_UNSUPPORTED_VERSION(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** AVB: the rollback index is below the stored one; the firmware stores none. */
  AVB_ROLLBACK_INDEX(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** The head of a descriptor is damaged. */
  DESCRIPTORS_INVALID_HEADER(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** A number of a descriptor has no meaning. */
  DESCRIPTORS_INVALID_VALUE(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** The lengths of a descriptor contradict each other. */
  DESCRIPTORS_INVALID_SIZE(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** Text of a descriptor is not UTF-8. */
  DESCRIPTORS_INVALID_UTF8(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** Descriptors speak of unknown partitions, twice of one, or not of {@code boot}. */
  DESCRIPTORS_INVALID_CONTENTS(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** A property or capability is unknown. */
  UNKNOWN_VBMETA_PROPERTY(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** The page size is no multiple of 4 KiB. */
  INVALID_PAGE_SIZE(RebootReason.PAYLOAD_VERIFICATION_FAILED),
  /** The name of the VM is empty or not UTF-8. */
  INVALID_VM_NAME(RebootReason.PAYLOAD_VERIFICATION_FAILED),

  /** The host's device tree breaks a rule. */
  INVALID_FDT(RebootReason.INVALID_FDT),
  /** The host gave no kernel. */
  NO_KERNEL(RebootReason.INVALID_PAYLOAD),
  /** The host's ramdisk range cannot be used. */
  INVALID_RAMDISK(RebootReason.INVALID_RAMDISK),
  /** The host gave no instance id. */
  MISSING_INSTANCE_ID(RebootReason.INVALID_FDT),

  /** The overlay for device assignment contradicts itself. */
  DEVICE_INVALID_DTBO(RebootReason.INVALID_FDT),
  /** A symbol of the overlay names no node that could be assigned. */
  DEVICE_INVALID_SYMBOLS(RebootReason.INVALID_FDT),
  /** A {@code reg} is missing or is not whole ranges. */
  DEVICE_MALFORMED_REG(RebootReason.INVALID_FDT),
  /** Physical memory of a device is not what the hypervisor mapped, or is left over. */
  DEVICE_INVALID_PHYS_REG(RebootReason.INVALID_FDT),
  /** Memory that the host gives a device is unknown to the hypervisor, forbidden, or left over. */
  DEVICE_INVALID_REG(RebootReason.INVALID_FDT),
  /** The interrupts of a device are missing or are not whole ones. */
  DEVICE_INVALID_INTERRUPTS(RebootReason.INVALID_FDT),
  /** An {@code iommus} names an unknown IOMMU or is not whole pairs. */
  DEVICE_MALFORMED_IOMMUS(RebootReason.INVALID_FDT),
  /** The streams of a device are not those that the hypervisor mapped. */
  DEVICE_INVALID_IOMMUS(RebootReason.INVALID_FDT),
  /** A physical IOMMU has a token but no cells, or a token of another size. */
  DEVICE_INVALID_PHYS_IOMMU(RebootReason.INVALID_FDT),
  /** A pvIOMMU has no id, or not one cell. */
  DEVICE_INVALID_PV_IOMMU(RebootReason.INVALID_FDT),
  /** There are more pvIOMMUs than the firmware has nodes for. */
  DEVICE_TOO_MANY_PV_IOMMU(RebootReason.INVALID_FDT),
  /** Two physical IOMMUs have one token. */
  DEVICE_DUPLICATED_IOMMU_IDS(RebootReason.INVALID_FDT),
  /** Two pvIOMMUs have one id. */
  DEVICE_DUPLICATED_PV_IOMMU_IDS(RebootReason.INVALID_FDT),
  /** A symbol is no absolute path. */
  DEVICE_UNSUPPORTED_PATH_FORMAT(RebootReason.INVALID_FDT),
  /** A fragment of the overlay has another target than the root. */
  DEVICE_UNSUPPORTED_OVERLAY_TARGET(RebootReason.INVALID_FDT),
  /** A physical IOMMU has another number of cells than one. */
  DEVICE_UNSUPPORTED_PHYS_IOMMU(RebootReason.INVALID_FDT),
  /** A pair of pvIOMMU and stream occurs twice. */
  DEVICE_UNSUPPORTED_PV_IOMMUS_DUPLICATION(RebootReason.INVALID_FDT),
  /** A pair of physical IOMMU and stream occurs twice. */
  DEVICE_UNSUPPORTED_IOMMUS_DUPLICATION(RebootReason.INVALID_FDT),
  /** A device depends on what is not in the overlay. */
  DEVICE_INTERNAL(RebootReason.INVALID_FDT),

  /** Rollback protection is deferred to a guest whose rollback index is 0. */
  ROLLBACK_INDEX_ZERO(RebootReason.INVALID_PAYLOAD),
  /** The rollback index of a VM of fixed version is another. */
  ROLLBACK_INDEX_MISMATCH(RebootReason.INVALID_PAYLOAD),
  /** A VM of a reserved name was signed with another key than that name's. */
  ROLLBACK_KEY_MISMATCH(RebootReason.INVALID_PAYLOAD),
  /** A VM of a reserved name is not the one image that may have it, or none may. */
  ROLLBACK_NAME_RESERVED(RebootReason.INVALID_PAYLOAD),

  /** The instance disk cannot be read or written. */
  INSTANCE_FAILED_IO(RebootReason.INTERNAL_ERROR),
  /** There is no room for an entry. */
  INSTANCE_IMAGE_FULL(RebootReason.INTERNAL_ERROR),
  /** The header of the instance image is damaged. */
  INSTANCE_INVALID_HEADER(RebootReason.INTERNAL_ERROR),
  /** No disk has a partition {@code vm-instance}. */
  INSTANCE_MISSING_IMAGE(RebootReason.INTERNAL_ERROR),
  /** The partition has no header. */
  INSTANCE_MISSING_HEADER(RebootReason.INTERNAL_ERROR),
  /** The instance ran with another authority. */
  INSTANCE_RECORDED_AUTH_HASH_MISMATCH(RebootReason.INTERNAL_ERROR),
  /** The instance ran with other code. */
  INSTANCE_RECORDED_CODE_HASH_MISMATCH(RebootReason.INTERNAL_ERROR),
  /** The instance ran in another mode. */
  INSTANCE_RECORDED_DICE_MODE_MISMATCH(RebootReason.INTERNAL_ERROR),
  /** The entry is larger than a block, or its content has another size than it must. */
  INSTANCE_UNSUPPORTED_ENTRY_SIZE(RebootReason.INTERNAL_ERROR),
  /** The entry opens, but is not what its owner writes; the firmware names it otherwise. */
  INSTANCE_INVALID_RECORD(RebootReason.INTERNAL_ERROR),
  /** The entry was not written with this secret, or was changed since. */
  INSTANCE_DECRYPTION_FAILED(RebootReason.INTERNAL_ERROR),

  /** The guest's secrets could not be derived. */
  SECRET_DERIVATION_FAILED(RebootReason.SECRET_DERIVATION_FAILED);

  private final RebootReason rebootReason;

  PvmfwError(RebootReason rebootReason) {
    this.rebootReason = rebootReason;
  }

  /** What the firmware would print. */
  public RebootReason rebootReason() {
    return rebootReason;
  }
}
