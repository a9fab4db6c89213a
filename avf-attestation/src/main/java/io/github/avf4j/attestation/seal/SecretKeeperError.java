package io.github.avf4j.attestation.seal;

/** Why a keeper refused a request, with the codes of the interface's CDDL. */
public enum SecretKeeperError {
  /** Something failed that is not the client's fault. */
  UNEXPECTED_SERVER_ERROR(1),
  /** The request is not one of those that are defined. */
  REQUEST_MALFORMED(2),
  /** There is no secret of this id. */
  ENTRY_NOT_FOUND(3),
  /** A value could not be encoded or decoded. */
  SERIALIZATION(4),
  /** The chain of the client does not match the policy of the secret. */
  DICE_POLICY(5);

  private final int code;

  SecretKeeperError(int code) {
    this.code = code;
  }

  /** The error of a code; one that is not defined means {@link #UNEXPECTED_SERVER_ERROR}. */
  public static SecretKeeperError ofCode(long code) {
    for (SecretKeeperError error : values()) {
      if (error.code == code) {
        return error;
      }
    }
    return UNEXPECTED_SERVER_ERROR;
  }

  /** The code in a response. */
  public int code() {
    return code;
  }
}
