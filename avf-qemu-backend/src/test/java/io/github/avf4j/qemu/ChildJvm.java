package io.github.avf4j.qemu;

import io.github.avf4j.spi.Machine;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A JVM that runs a machine until it is killed: prints the process ids of QEMU, then waits. */
final class ChildJvm {
  private ChildJvm() {}

  /**
   * Runs a guest that hangs.
   *
   * @param arguments the kernel file
   */
  public static void main(String[] arguments) throws Exception {
    Recorder recorder = new Recorder();
    Machine machine =
        new QemuBackend()
            .create(
                TestQemu.spec("child", Path.of(arguments[0])).serialOutput(recorder).build(),
                recorder);
    machine.start();
    recorder.awaitOutput("here");
    String pids =
        String.join(
            " ", ProcessHandle.current().descendants().map(p -> Long.toString(p.pid())).toList());
    System.out.println("pids " + pids);
    TimeUnit.MINUTES.sleep(10);
    machine.close();
  }
}
