package io.github.avf4j.qemu.process;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.qemu.qmp.QmpConnection;
import io.github.avf4j.qemu.vhostuser.VhostUserServer;
import io.github.avf4j.spi.ByteSink;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.MachineSpec;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.blk.FileBackend;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU process that has made a machine, paused at first, with everything of this JVM that serves
 * it.
 *
 * <p>Thread-safe.
 */
public final class MachineProcess implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(30);

  /** The vsock queues rx and tx; the event queue is QEMU's. */
  private static final int VSOCK_QUEUES = 2;

  /** A disk that another machine uses, and kernels and initrds that QEMU cannot place in memory. */
  private static final Pattern IMAGE_PROBLEM =
      Pattern.compile("Failed to get .* lock|initrd is too large|[Kk]ernel .*too (big|large)");

  /** What to close, the last opened first. */
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();

  private final QemuProcess process;
  private final QmpConnection qmp;
  private final VhostUserServer vsockServer;
  private final OutputPump serial;
  private final OutputPump console;

  /**
   * Starts QEMU and waits until it has made the machine.
   *
   * @param vsock serves as the machine's vsock device and stays the caller's
   * @throws InvalidImageException if kernel, initrd or a disk cannot be used
   * @throws HypervisorException if QEMU does not make the machine
   */
  public MachineProcess(QemuBinary binary, MachineSpec spec, VirtioDevice vsock) {
    requireUsable(spec);
    String threads = "avf-" + spec.name();
    try {
      PrivateFolder folder = keep(PrivateFolder.create());
      vsockServer =
          keep(
              VhostUserServer.listen(
                  folder.file(QemuCommand.VSOCK_SOCKET),
                  vsock,
                  VSOCK_QUEUES,
                  spec.memory().bytes(),
                  threads + "-io"));
      serial = pump(folder, QemuCommand.SERIAL_SOCKET, spec.serialOutput(), threads);
      console = pump(folder, QemuCommand.CONSOLE_SOCKET, spec.consoleOutput(), threads);
      process =
          keep(QemuProcess.start(folder, QemuCommand.forMachine(binary, spec, folder), threads));
      qmp = process.connect(START_TIMEOUT);
    } catch (HypervisorException e) {
      close();
      throw causedByImage(e) ? new InvalidImageException(e.getMessage(), e) : e;
    } catch (Throwable t) { // also when no thread can be made
      close();
      throw t;
    }
  }

  /** Takes the output that comes to a socket, on a thread with the socket's name. */
  private OutputPump pump(PrivateFolder folder, String socket, ByteSink sink, String threads) {
    return keep(OutputPump.listen(folder.file(socket), sink, threads + '-' + socket));
  }

  /** Tells from QEMU's words what only QEMU finds out. */
  private static boolean causedByImage(HypervisorException e) {
    return IMAGE_PROBLEM.matcher(e.getMessage()).find();
  }

  private <T extends AutoCloseable> T keep(T resource) {
    resources.push(resource);
    return resource;
  }

  private static void requireUsable(MachineSpec spec) {
    KernelFile.requireBootable(spec.kernel());
    spec.initrd().ifPresent(initrd -> KernelFile.requireReadable("initrd", initrd));
    for (DiskSpec disk : spec.disks()) {
      FileBackend.open(disk.image(), disk.readOnly()).close();
    }
  }

  /** Returns the QMP connection; the machine runs after {@code cont}. */
  public QmpConnection qmp() {
    return qmp;
  }

  /** Returns the stream to the guest's virtio console. */
  public OutputStream consoleInput() {
    return console.input();
  }

  /** Kills QEMU. Returns at once. Idempotent. */
  public void kill() {
    process.kill();
  }

  /**
   * Waits for QEMU's end, then until all that the guest wrote and sent was taken; false if QEMU
   * does not end in time.
   */
  public boolean awaitEnd(Duration timeout) {
    if (!process.awaitEnd(timeout)) {
      return false;
    }
    serial.awaitEnd();
    console.awaitEnd();
    vsockServer.close();
    return true;
  }

  /** Returns whether a CPU of the machine gave up over a triple fault. */
  public boolean sawTripleFault() {
    return process.sawTripleFault();
  }

  /** Returns how QEMU ended and the last lines that it wrote, for people. */
  public String describeEnd() {
    String tail = process.errorTail();
    return process.describeEnd() + (tail.isEmpty() ? "" : ": " + tail);
  }

  /** Kills QEMU and gives everything back. Idempotent. */
  @Override
  public void close() {
    while (true) {
      @Nullable AutoCloseable resource;
      synchronized (resources) {
        resource = resources.poll();
      }
      if (resource == null) {
        return;
      }
      QemuProcess.closeQuietly(resource);
    }
  }
}
