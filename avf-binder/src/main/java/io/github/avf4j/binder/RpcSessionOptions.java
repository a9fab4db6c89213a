package io.github.avf4j.binder;

import java.time.Duration;

/**
 * How a session is made. Immutable and thread-safe.
 *
 * @param maxVersion the highest version of the protocol that is offered, 0 to 2: Android 13 has 0,
 *     Android 14 to 16 have 1, later ones 2
 * @param connections the most connections for calls, 1 to 64; there are no more than the server has
 *     threads
 * @param callbackConnections the connections, and threads, on which the server may call when nobody
 *     here waits for it, 0 to 8
 * @param timeout how long a call may take, and each step of connecting; the session ends with it
 */
public record RpcSessionOptions(
    int maxVersion, int connections, int callbackConnections, Duration timeout) {
  /** The highest version there is. */
  public static final int MAX_VERSION = 2;

  private static final RpcSessionOptions DEFAULTS =
      new RpcSessionOptions(MAX_VERSION, 10, 0, Duration.ofSeconds(30));

  /** Checks the bounds. */
  public RpcSessionOptions {
    require("maxVersion", maxVersion, 0, MAX_VERSION);
    require("connections", connections, 1, 64);
    require("callbackConnections", callbackConnections, 0, 8);
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("timeout must be positive but was " + timeout);
    }
  }

  private static void require(String field, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          field + " must be in " + least + ".." + most + " but was " + value);
    }
  }

  /**
   * Returns version 2, as many as 10 connections, none for callbacks, and 30 seconds, which are
   * libbinder's but for the time.
   */
  public static RpcSessionOptions defaults() {
    return DEFAULTS;
  }

  /** Returns options with another version. */
  public RpcSessionOptions withMaxVersion(int value) {
    return new RpcSessionOptions(value, connections, callbackConnections, timeout);
  }

  /** Returns options with another number of connections. */
  public RpcSessionOptions withConnections(int value) {
    return new RpcSessionOptions(maxVersion, value, callbackConnections, timeout);
  }

  /** Returns options with another number of connections for callbacks. */
  public RpcSessionOptions withCallbackConnections(int value) {
    return new RpcSessionOptions(maxVersion, connections, value, timeout);
  }

  /** Returns options with another time. */
  public RpcSessionOptions withTimeout(Duration value) {
    return new RpcSessionOptions(maxVersion, connections, callbackConnections, value);
  }
}
