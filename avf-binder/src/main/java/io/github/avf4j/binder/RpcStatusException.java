package io.github.avf4j.binder;

/** Thrown when a transaction failed in the server; the session goes on. */
public final class RpcStatusException extends RpcException {
  private static final long serialVersionUID = 1L;

  private final RpcStatus status;

  /** Makes one, for an {@link RpcService} to throw. */
  public RpcStatusException(RpcStatus status) {
    super("the transaction failed: " + status, null);
    this.status = status;
  }

  RpcStatusException(int code, int value) {
    super("transaction " + code + " failed: " + RpcStatus.of(value) + " (" + value + ')', null);
    this.status = RpcStatus.of(value);
  }

  /** Returns how it failed. */
  public RpcStatus status() {
    return status;
  }
}
