package io.github.avf4j.binder;

import org.jspecify.annotations.Nullable;

/**
 * Thrown when a session is over: it was closed here or by the server, a connection failed, or a
 * call took too long. Whether the call was served is not known. Connect again.
 */
public final class RpcSessionEndedException extends RpcException {
  private static final long serialVersionUID = 1L;

  RpcSessionEndedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
