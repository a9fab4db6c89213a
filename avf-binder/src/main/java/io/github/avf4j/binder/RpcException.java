package io.github.avf4j.binder;

import org.jspecify.annotations.Nullable;

/** The root of what calls throw. */
public abstract sealed class RpcException extends RuntimeException
    permits MalformedParcelException,
        RpcProtocolException,
        RpcServiceException,
        RpcSessionEndedException,
        RpcStatusException {
  private static final long serialVersionUID = 1L;

  RpcException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
