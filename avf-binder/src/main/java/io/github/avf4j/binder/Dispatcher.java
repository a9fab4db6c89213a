package io.github.avf4j.binder;

import java.util.Map;

/**
 * Serves one call of an object of this program: what every object answers, or the object itself.
 */
final class Dispatcher {
  private static final Map<Class<? extends RuntimeException>, RpcServiceException.Code> NAMED =
      Map.of(
          SecurityException.class, RpcServiceException.Code.SECURITY,
          IllegalArgumentException.class, RpcServiceException.Code.ILLEGAL_ARGUMENT,
          NullPointerException.class, RpcServiceException.Code.NULL_POINTER,
          IllegalStateException.class, RpcServiceException.Code.ILLEGAL_STATE,
          UnsupportedOperationException.class, RpcServiceException.Code.UNSUPPORTED_OPERATION);

  private Dispatcher() {}

  /** Returns the status of the reply, 0 if there is a parcel with it. */
  static int dispatch(RpcService service, int code, ParcelReader data, ParcelWriter reply) {
    if (code == Wire.PING) {
      return 0;
    }
    if (code == Wire.INTERFACE) {
      reply.writeString(service.descriptor());
      return 0;
    }
    if (code < Wire.FIRST_CALL || code > Wire.LAST_CALL) {
      return RpcStatus.UNKNOWN_TRANSACTION.value();
    }
    try {
      if (!service.descriptor().equals(data.readString())) {
        return RpcStatus.BAD_TYPE.value();
      }
      ParcelWriter results = new ParcelWriter();
      service.onTransact(code, data, results);
      reply.writeInt(0).append(results);
      return 0;
    } catch (RpcServiceException e) {
      write(e, reply);
      return 0;
    } catch (RpcStatusException e) {
      return e.status().value();
    } catch (MalformedParcelException e) {
      return RpcStatus.BAD_VALUE.value();
    } catch (RuntimeException e) {
      RpcServiceException.Code named = NAMED.get(e.getClass());
      if (named == null) {
        return RpcStatus.UNKNOWN_ERROR.value();
      }
      write(new RpcServiceException(named, e.getMessage()), reply);
      return 0;
    }
  }

  private static void write(RpcServiceException exception, ParcelWriter reply) {
    // No stack trace.
    reply.writeInt(exception.code().value()).writeString(exception.text().orElse(null)).writeInt(0);
    if (exception.code() == RpcServiceException.Code.SERVICE_SPECIFIC) {
      reply.writeInt(exception.error());
    }
  }
}
