package io.github.avf4j;

/**
 * Hears of the life of a machine. All methods do nothing by default.
 *
 * <p>The order is started, ready (only if the payload reports it), finished, stopped. A guest that
 * cannot run its payload gives error, stopped. {@link #onStopped} comes exactly once per run.
 *
 * <p>Called on the executor that was given with the callback, one call at a time.
 */
public interface VirtualMachineCallback {
  /** The payload's process has started. */
  default void onPayloadStarted(VirtualMachine vm) {}

  /** The payload said that it is ready to serve. */
  default void onPayloadReady(VirtualMachine vm) {}

  /**
   * The payload has ended.
   *
   * @param exitCode its exit code, or 128 plus the signal that ended it
   */
  default void onPayloadFinished(VirtualMachine vm, int exitCode) {}

  /** The guest cannot run the payload. */
  default void onError(VirtualMachine vm, ErrorCode errorCode, String message) {}

  /** The machine has stopped; all that it used on the host has been given back. */
  default void onStopped(VirtualMachine vm, StopReason reason) {}
}
