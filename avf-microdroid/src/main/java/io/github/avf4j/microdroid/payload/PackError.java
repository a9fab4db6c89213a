package io.github.avf4j.microdroid.payload;

import io.github.avf4j.ErrorCode;

/** Why the files of a VM cannot be made. */
public enum PackError {
  /** An APK or APEX is missing, is no regular file, or cannot be read. */
  FILE(ErrorCode.UNKNOWN),
  /** An APK is refused; the cause says which rule it breaks. */
  APK(ErrorCode.PAYLOAD_VERIFICATION_FAILED),
  /** The APK does not have the native library that shall run. */
  BINARY(ErrorCode.PAYLOAD_INVALID_CONFIG),
  /** An APEX is refused, or is another module than it should be. */
  APEX(ErrorCode.PAYLOAD_VERIFICATION_FAILED),
  /**
   * The APK does not have the configuration that says what shall run, or one that cannot be
   * honoured, or that names other things than were given.
   */
  CONFIG(ErrorCode.PAYLOAD_INVALID_CONFIG),
  /** An APK or APEX was changed while the disk was made of it. */
  CHANGED(ErrorCode.PAYLOAD_VERIFICATION_FAILED),
  /** No payload disk can have these parts; the cause says which rule they break. */
  DISK(ErrorCode.PAYLOAD_INVALID_CONFIG),
  /** A part of the instance is damaged or gone: its secrets and its storage are lost. */
  INSTANCE(ErrorCode.UNKNOWN),
  /** The VM's folder cannot be read or written. */
  FOLDER(ErrorCode.UNKNOWN);

  private final ErrorCode code;

  PackError(ErrorCode code) {
    this.code = code;
  }

  /** AVF's code for it, as a guest would report it. */
  public ErrorCode code() {
    return code;
  }
}
