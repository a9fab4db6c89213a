package io.github.avf4j.binder;

/** Thrown when a server sends what the protocol does not allow; the session is over. */
public final class RpcProtocolException extends RpcException {
  private static final long serialVersionUID = 1L;

  RpcProtocolException(String message) {
    super(message, null);
  }
}
