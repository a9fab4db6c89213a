package io.github.avf4j;

/** What the guest reports when it cannot run its payload; AVF's numbers. */
public enum ErrorCode {
  /** Anything without a code of its own. */
  UNKNOWN(0),
  /** The payload's signature, Merkle tree or format is bad. */
  PAYLOAD_VERIFICATION_FAILED(1),
  /** The payload is valid but not the one that this instance ran before. */
  PAYLOAD_CHANGED(2),
  /** The payload or its configuration cannot be run. */
  PAYLOAD_INVALID_CONFIG(3);

  private final int value;

  ErrorCode(int value) {
    this.value = value;
  }

  /** Returns AVF's number for this code. */
  public int value() {
    return value;
  }

  /** Returns the code with AVF's number {@code value}, {@link #UNKNOWN} for any other number. */
  public static ErrorCode of(int value) {
    for (ErrorCode code : values()) {
      if (code.value == value) {
        return code;
      }
    }
    return UNKNOWN;
  }
}
