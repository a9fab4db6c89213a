package io.github.avf4j;

/** Thrown when a vsock connection to the guest cannot be made. */
public final class VsockConnectException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  /** Why a connection could not be made. */
  public enum Cause {
    /** The guest answered that nobody listens on the port. */
    REFUSED,
    /** The guest did not answer in time; its vsock driver may not be up yet. */
    TIMED_OUT,
    /** The machine stopped. */
    STOPPED,
    /** The machine has as many connections as it may have. */
    TOO_MANY
  }

  private final Cause reason;
  private final long port;

  /** Makes an exception for a connection to {@code port}. */
  public VsockConnectException(Cause reason, long port, String message) {
    super(message);
    this.reason = reason;
    this.port = port;
  }

  /** Returns why the connection could not be made. */
  public Cause reason() {
    return reason;
  }

  /** Returns the guest's port that was asked for. */
  public long port() {
    return port;
  }
}
