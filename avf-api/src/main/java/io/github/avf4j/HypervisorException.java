package io.github.avf4j;

/** Thrown when the operating system or a hypervisor refuses a call. */
public final class HypervisorException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;

  /**
   * Makes an exception for a failed call.
   *
   * @param call the call's name, such as {@code ioctl(KVM_CREATE_VM)}
   * @param errno the error number, 0 when there is none
   * @param message a sentence that says what to do
   */
  public HypervisorException(String call, int errno, String message) {
    super(message);
    this.call = call;
    this.errno = errno;
  }

  /** Returns the name of the call that failed. */
  public String call() {
    return call;
  }

  /** Returns the error number, 0 when there is none. */
  public int errno() {
    return errno;
  }
}
