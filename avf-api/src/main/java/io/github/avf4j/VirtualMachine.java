package io.github.avf4j;

import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * A virtual machine of a {@link VirtualMachineManager}: stopped, running or deleted.
 *
 * <p>It can be run again after it has stopped. There is one object for a name as long as the object
 * is reachable.
 *
 * <p>Thread-safe.
 */
public interface VirtualMachine extends AutoCloseable {
  /** The least port that {@link #connectVsock} takes. */
  long MIN_VSOCK_PORT = 1024;

  /** The greatest port that {@link #connectVsock} takes. */
  long MAX_VSOCK_PORT = 0xFFFF_FFFFL;

  /** The state of a machine. */
  enum Status {
    /** It exists and does not run. */
    STOPPED,
    /** It runs; a payload that has ended counts as running until the machine has stopped. */
    RUNNING,
    /** It was deleted, for ever. */
    DELETED
  }

  /** Returns the machine's name. */
  String getName();

  /** Returns the machine's configuration. */
  VirtualMachineConfig getConfig();

  /** Returns the machine's state now. */
  Status getStatus();

  /** Returns the machine's vsock address; the same for every run of this object. */
  Cid getCid();

  /**
   * Sets who hears of this machine's life, instead of the one before. Events that come while there
   * is none are lost.
   */
  void setCallback(Executor executor, VirtualMachineCallback callback);

  /** Removes the callback. */
  void clearCallback();

  /**
   * Starts the machine and returns when its kernel has been entered; what the guest does then is
   * told by the callback.
   *
   * @throws IllegalVmStateException if it is not stopped
   * @throws BackendUnavailableException if no hypervisor can run it
   * @throws InvalidImageException if kernel, payload or a disk cannot be used
   * @throws PayloadException if an APK, or a file that the machine keeps for it, cannot be used
   * @throws HypervisorException if the host refuses what the machine needs
   */
  void run();

  /**
   * Ends the machine at once, without asking the guest, and returns when it has stopped.
   *
   * @throws IllegalVmStateException if it is not running
   */
  void stop();

  /** Stops the machine if it runs; otherwise does nothing. Legal in every state. */
  @Override
  void close();

  /**
   * Waits until the payload has said that it is ready.
   *
   * @return true if it is ready, false if {@code timeout} has passed or the machine has stopped
   *     before that
   * @throws InterruptedException if this thread was interrupted
   */
  boolean awaitReady(Duration timeout) throws InterruptedException;

  /**
   * Waits until the current run, or the last one, has ended.
   *
   * @return why it stopped, empty if {@code timeout} has passed before that or if it never ran
   * @throws InterruptedException if this thread was interrupted
   */
  Optional<StopReason> awaitStopped(Duration timeout) throws InterruptedException;

  /** Returns the payload's exit code in the current or last run, once it has ended. */
  Optional<Integer> getPayloadExitCode();

  /** Returns which backend runs, or ran, this machine and why it was chosen; empty before that. */
  Optional<String> getBackend();

  /** Returns when the current run, or the last one, reached each stage so far. */
  BootTimeline getTimeline();

  /**
   * Connects to a vsock port on which the guest listens.
   *
   * @param port {@value #MIN_VSOCK_PORT} to {@value #MAX_VSOCK_PORT}
   * @throws IllegalVmStateException if the machine is not running
   * @throws VsockConnectException if nobody listens there, or the guest does not answer within 2
   *     seconds
   */
  VsockChannel connectVsock(long port);

  /**
   * Takes connections that the guest makes to a port of the host. Stays until it is closed or the
   * run ends.
   *
   * @param port {@value #MIN_VSOCK_PORT} to {@value #MAX_VSOCK_PORT}, not the machine's own CID,
   *     which is the framework's
   * @throws IllegalVmStateException if the machine is not running
   * @throws IllegalArgumentException if the port is taken or out of range
   */
  VsockListener listenVsock(long port);

  /**
   * Returns what the guest's kernel prints. Every call gives a stream over the same bytes; a byte
   * is read once. When nobody reads, the oldest bytes are dropped, see {@link #getDroppedOutput()}.
   * The stream ends when the machine has stopped and all is read.
   *
   * @throws IllegalVmStateException if output is not captured
   */
  InputStream getConsoleOutput();

  /**
   * Returns what the payload prints, like {@link #getConsoleOutput()}.
   *
   * @throws IllegalVmStateException if output is not captured
   */
  InputStream getLogOutput();

  /**
   * Returns how many bytes of console and log output were dropped because nobody read them. On the
   * QEMU backend this leaves out what QEMU itself throws away of a flood while this process is too
   * busy to take it.
   */
  long getDroppedOutput();

  /**
   * Returns a stream to the payload's standard input.
   *
   * @throws IllegalVmStateException if console input is not supported by the configuration
   */
  OutputStream getConsoleInput();
}
