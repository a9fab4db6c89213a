package io.github.avf4j.binder;

/** The values of {@code status_t} that have a name. */
public enum RpcStatus {
  /** Not allowed. */
  PERMISSION_DENIED(-1),
  /** What was named is not there. */
  NAME_NOT_FOUND(-2),
  /** The server can call nobody. */
  WOULD_BLOCK(-11),
  /** The server has no room. */
  NO_MEMORY(-12),
  /** It is there already. */
  ALREADY_EXISTS(-17),
  /** The service was not set up. */
  NO_INIT(-19),
  /** An argument is none that the method takes. */
  BAD_VALUE(-22),
  /** Whom the service called has gone. */
  DEAD_OBJECT(-32),
  /** Not possible in this state. */
  INVALID_OPERATION(-38),
  /** There are fewer arguments than the method has. */
  NOT_ENOUGH_DATA(-61),
  /** The interface has no method of this number. */
  UNKNOWN_TRANSACTION(-74),
  /** An index is out of bounds. */
  BAD_INDEX(-75),
  /** It took too long. */
  TIMED_OUT(-110),
  /** Any other failure. */
  UNKNOWN_ERROR(Integer.MIN_VALUE),
  /** The object has another interface, or an argument another type. */
  BAD_TYPE(Integer.MIN_VALUE + 1),
  /** The results are too long for a message. */
  FAILED_TRANSACTION(Integer.MIN_VALUE + 2),
  /** Descriptors cannot be sent on this session. */
  FDS_NOT_ALLOWED(Integer.MIN_VALUE + 7),
  /** Null where the method does not take it. */
  UNEXPECTED_NULL(Integer.MIN_VALUE + 8);

  private final int value;

  RpcStatus(int value) {
    this.value = value;
  }

  /** Returns the {@code status_t}. */
  public int value() {
    return value;
  }

  /** Returns the status of a {@code status_t}; {@link #UNKNOWN_ERROR} if it has no name. */
  static RpcStatus of(int value) {
    for (RpcStatus status : values()) {
      if (status.value == value) {
        return status;
      }
    }
    return UNKNOWN_ERROR;
  }
}
