package io.github.avf4j.linux;

import io.github.avf4j.HypervisorException;
import java.lang.ref.Reference;

/**
 * The signal that kicks a thread out of a system call.
 *
 * <p>Its handler is a leaf function of the C library that does nothing ({@code abs}), because Java
 * must not run in a signal handler. The signal is SIGRTMIN+6 unless the system property {@value
 * #PROPERTY} names another number. Thread-safe.
 */
public final class Signals {
  /** Names the number of the kick signal. */
  public static final String PROPERTY = "io.github.avf4j.kickSignal";

  // struct sigaction of glibc on 64-bit systems: handler 0, mask 8 (128 bytes), flags 136.
  static final int SIGACTION_SIZE = 152;
  static final int SIGACTION_FLAGS = 136;

  private static int installed;

  private Signals() {}

  /**
   * Installs the handler once for the process and returns the signal's number.
   *
   * @throws HypervisorException if somebody else handles the signal
   */
  public static synchronized int installKick() {
    if (installed == 0) {
      int signal = Integer.getInteger(PROPERTY, LibC.__libc_current_sigrtmin() + 6);
      install(signal);
      installed = signal;
    }
    return installed;
  }

  private static void install(int signal) {
    NativeBuffer old = NativeBuffer.allocate(SIGACTION_SIZE);
    Errno.check("sigaction(" + signal + ")", LibC.sigaction(signal, 0, old.address()));
    long handler = LibC.addressOf("abs");
    long present = old.bytes().getLong(0);
    if (present == handler) {
      return; // another copy of this library in the process was first
    }
    if (present != 0) {
      throw new HypervisorException(
          "sigaction(" + signal + ")",
          0,
          "signal "
              + signal
              + " already has a handler: choose a free one between "
              + LibC.__libc_current_sigrtmin()
              + " and "
              + LibC.__libc_current_sigrtmax()
              + " with -D"
              + PROPERTY
              + "=NUMBER");
    }
    NativeBuffer action = NativeBuffer.allocate(SIGACTION_SIZE);
    action.bytes().putLong(0, handler);
    action.bytes().putInt(SIGACTION_FLAGS, LibC.SA_RESTART);
    Errno.check("sigaction(" + signal + ")", LibC.sigaction(signal, action.address(), 0));
    Reference.reachabilityFence(old);
    Reference.reachabilityFence(action);
  }

  /** Returns the kernel's id of the calling thread, for {@link #send}. */
  public static int currentThread() {
    return LibC.gettid();
  }

  /**
   * Sends a signal to a thread of this process. The caller makes sure that the thread has not
   * ended, because ids are given out again.
   */
  public static void send(int thread, int signal) {
    LibC.tgkill(LibC.getpid(), thread, signal);
  }
}
