package io.github.avf4j.attestation.pvmfw;

/** The line that the firmware prints before it resets the VM. */
public enum RebootReason {
  /** The DICE handover is malformed. */
  INVALID_DICE_HANDOVER("PVM_FIRMWARE_INVALID_DICE_HANDOVER", "PVM_FIRMWARE_INVALID_BCC"),
  /** The configuration blob is malformed. */
  INVALID_CONFIG_DATA("PVM_FIRMWARE_INVALID_CONFIG_DATA"),
  /** The firmware failed, or the instance is not the one that ran before. */
  INTERNAL_ERROR("PVM_FIRMWARE_INTERNAL_ERROR"),
  /** The device tree is malformed or asks for what a guest must not have. */
  INVALID_FDT("PVM_FIRMWARE_INVALID_FDT"),
  /** There is no kernel, or its rollback index is not what it must be. */
  INVALID_PAYLOAD("PVM_FIRMWARE_INVALID_PAYLOAD"),
  /** The ramdisk cannot be used. */
  INVALID_RAMDISK("PVM_FIRMWARE_INVALID_RAMDISK"),
  /** Kernel or ramdisk is not what its owner signed. */
  PAYLOAD_VERIFICATION_FAILED("PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED"),
  /** The guest's secrets could not be derived. */
  SECRET_DERIVATION_FAILED("PVM_FIRMWARE_SECRET_DERIVATION_FAILED");

  private final String line;
  private final String januaryLine;

  RebootReason(String line) {
    this(line, line);
  }

  RebootReason(String line, String januaryLine) {
    this.line = line;
    this.januaryLine = januaryLine;
  }

  /** The text that the firmware prints. */
  public String line() {
    return line;
  }

  /** The text that the firmware of a revision prints. */
  public String line(PvmfwRevision revision) {
    return revision == PvmfwRevision.JANUARY_2025 ? januaryLine : line;
  }
}
