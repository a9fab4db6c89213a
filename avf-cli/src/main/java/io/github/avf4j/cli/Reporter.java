package io.github.avf4j.cli;

import io.github.avf4j.ErrorCode;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineCallback;
import io.github.avf4j.cli.internal.Text;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;

/**
 * Prints the life of a payload in the words of Android's {@code vm run-app}.
 *
 * @param err where
 * @param stopped counted down after all of it was printed
 */
record Reporter(PrintWriter err, CountDownLatch stopped) implements VirtualMachineCallback {
  @Override
  public void onPayloadStarted(VirtualMachine vm) {
    print("payload started");
  }

  @Override
  public void onPayloadReady(VirtualMachine vm) {
    print("payload is ready");
  }

  @Override
  public void onPayloadFinished(VirtualMachine vm, int exitCode) {
    print("payload finished with exit code " + exitCode);
  }

  @Override
  public void onError(VirtualMachine vm, ErrorCode errorCode, String message) {
    print(
        "VM encountered an error: code=%s, message=%s"
            .formatted(errorCode.name().toLowerCase(Locale.ROOT), Text.printable(message)));
  }

  @Override
  public void onStopped(VirtualMachine vm, StopReason reason) {
    stopped.countDown();
  }

  private void print(String line) {
    err.println(line);
    err.flush();
  }
}
