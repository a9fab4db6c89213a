package io.github.avf4j.attestation.dice;

/** The mode of a DICE layer. */
public enum DiceMode {
  /** No mode, or one that is not defined. */
  NOT_CONFIGURED,
  /** All security measures are in force. */
  NORMAL,
  /** Debugging is possible, or secrets may leak in another way. */
  DEBUG,
  /** A recovery or maintenance system. */
  RECOVERY;

  /** The mode of a value; any other than 1, 2 and 3 means not configured. */
  public static DiceMode ofValue(long value) {
    return value >= 1 && value <= 3 ? values()[(int) value] : NOT_CONFIGURED;
  }

  /** The value: 0, 1, 2 or 3. */
  public byte value() {
    return (byte) ordinal();
  }
}
