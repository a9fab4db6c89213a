package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.AttestationException;

/** Thrown when bytes are not the AVB structure that is expected, or an image cannot be made. */
public final class AvbException extends AttestationException {
  private static final long serialVersionUID = 1L;

  private final Kind kind;

  /** What is wrong, in the classes that libavb's callers tell apart. */
  public enum Kind {
    /** A header or footer is damaged, or its ranges point outside. */
    HEADER,
    /** A newer libavb than 1.3 is required. */
    VERSION,
    /** The head of a descriptor is damaged. */
    DESCRIPTOR_HEADER,
    /** A number of a descriptor has no meaning. */
    DESCRIPTOR_VALUE,
    /** The lengths in a descriptor contradict each other. */
    DESCRIPTOR_SIZE,
    /** Text of a descriptor is not UTF-8. */
    DESCRIPTOR_UTF8,
    /** The bytes of a descriptor are not what they must be. */
    DESCRIPTOR_CONTENTS,
    /** A key is malformed or does not fit the algorithm. */
    KEY,
    /** The image that is to be made is impossible: too large, or an option contradicts another. */
    REQUEST
  }

  /** Makes an exception that belongs to no place. */
  public AvbException(Kind kind, String reason) {
    super(reason);
    this.kind = kind;
  }

  /** Makes an exception for the byte at {@code position}. */
  public AvbException(Kind kind, String reason, long position) {
    super(reason, position);
    this.kind = kind;
  }

  /** The class of the fault. */
  public Kind kind() {
    return kind;
  }
}
