package io.github.avf4j;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Thrown when a Java class cannot be made a payload of a machine. */
public final class JavaPayloadException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  /** Why not. */
  public enum Reason {
    /** The host's Java runtime is not one for x86-64 Linux with glibc, as the guest is. */
    HOST,
    /** The host's Java runtime cannot make smaller ones: it lacks jlink or jdeps. */
    JDK,
    /** A module is not in the host's Java runtime. */
    MODULE,
    /** An entry of the class path, or the class in it, is missing or cannot be read. */
    CLASS_PATH,
    /** The key that signs is missing or unusable. */
    SIGNING_KEY,
    /** The runtime's image or the APK cannot be made. */
    PACKING
  }

  private final Reason reason;

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public JavaPayloadException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = Objects.requireNonNull(reason, "reason");
  }

  /** Returns which of the ways to fail it is. */
  public Reason reason() {
    return reason;
  }
}
