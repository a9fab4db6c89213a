package io.github.avf4j.binder;

/**
 * An object of this program that a server may call, after it was sent one in a parcel.
 *
 * <p>Calls come on the thread that waits for the server, if they belong to what it waits for, and
 * otherwise on threads of the session, of which there are {@link
 * RpcSessionOptions#callbackConnections()}.
 */
public non-sealed interface RpcService extends RpcObject {
  /** Returns the name of the interface, as AIDL has it. */
  String descriptor();

  /**
   * Serves a call of the interface.
   *
   * <p>The server gets an {@link RpcServiceException} as this exception, those of the JDK for which
   * AIDL has a name under it, an {@link RpcStatusException} as its status, a {@link
   * MalformedParcelException} as {@code BAD_VALUE}, and all others as {@code UNKNOWN_ERROR}.
   *
   * @param code the number of the method
   * @param data the arguments
   * @param reply where the results go; for a oneway call they are dropped
   */
  void onTransact(int code, ParcelReader data, ParcelWriter reply);
}
