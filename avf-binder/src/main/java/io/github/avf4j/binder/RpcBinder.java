package io.github.avf4j.binder;

import org.jspecify.annotations.Nullable;

/**
 * An object of the server. The same object is the same instance, as long as it is not closed.
 *
 * <p>Closing gives all references back to the server, however often the object was received; a call
 * then throws {@link IllegalStateException}. An object that is never closed is kept by the server
 * until the session ends. With the last object, which mostly is the root, the session ends, too.
 *
 * <p>Thread-safe.
 */
public final class RpcBinder implements RpcObject, AutoCloseable {
  private final Caller caller;
  private final long address;
  private final int stability;

  /** What makes calls. */
  interface Caller {
    ParcelReader transact(RpcBinder target, int code, ParcelWriter data, int flags);

    void release(RpcBinder binder);
  }

  RpcBinder(Caller caller, long address, int stability) {
    this.caller = caller;
    this.address = address;
    this.stability = stability;
  }

  long address() {
    return address;
  }

  int stability() {
    return stability;
  }

  /**
   * Calls a method of an AIDL interface, and reads whether it has thrown; blocks until it has
   * returned.
   *
   * @param code the number of the method: 1 for the first of the interface
   * @param data the arguments, after {@link ParcelWriter#forInterface}
   * @return the results: the method's value first, then its parameters that are {@code out}
   * @throws RpcServiceException if the method throws
   * @throws RpcStatusException if the transaction fails in the server
   * @throws RpcSessionEndedException if the session ends before the method returns
   * @throws RpcProtocolException if the server sends what it must not
   */
  public ParcelReader call(int code, ParcelWriter data) {
    ParcelReader reply = transact(code, data);
    reply.readException();
    return reply;
  }

  /**
   * Makes a transaction; as {@link #call}, but the reply is returned as it is.
   *
   * @throws IllegalArgumentException if the code is none of a method, or the data are too long
   */
  public ParcelReader transact(int code, ParcelWriter data) {
    return caller.transact(this, requireMethod(code), data, 0);
  }

  /**
   * Calls a oneway method: returns when the call was sent, and nobody learns whether it fails.
   * Calls of one object are served in their order.
   *
   * @throws RpcSessionEndedException if the session has ended
   */
  public void callOneway(int code, ParcelWriter data) {
    caller.transact(this, requireMethod(code), data, Wire.FLAG_ONEWAY);
  }

  private static int requireMethod(int code) {
    if (code < Wire.FIRST_CALL || code > Wire.LAST_CALL) {
      throw new IllegalArgumentException(
          "code must be in 1.." + Wire.LAST_CALL + " but was " + Integer.toUnsignedString(code));
    }
    return code;
  }

  /** Calls the object in vain, to see that it answers. */
  public void ping() {
    caller.transact(this, Wire.PING, new ParcelWriter(), 0);
  }

  /** Asks for the name of the object's interface. */
  public String descriptor() {
    @Nullable String name =
        caller.transact(this, Wire.INTERFACE, new ParcelWriter(), 0).readString();
    if (name == null) {
      throw new MalformedParcelException(0, "the object has no interface");
    }
    return name;
  }

  /** Gives the object back to the server. Idempotent. */
  @Override
  public void close() {
    caller.release(this);
  }
}
