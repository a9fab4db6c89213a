package io.github.avf4j.qemu.process;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.linux.Threads;
import io.github.avf4j.qemu.qmp.QmpConnection;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A running QEMU with its QMP connection and the end of its error output.
 *
 * <p>Thread-safe; {@link #connect} is called once.
 */
public final class QemuProcess implements AutoCloseable {
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(10);

  private final Supervisor supervisor;
  private final ErrorOutput errorOutput;
  private final Thread errorReader;
  private final ServerSocketChannel qmpListener;
  private volatile @Nullable QmpConnection qmp;

  private QemuProcess(Supervisor supervisor, ServerSocketChannel qmpListener, String threadName) {
    this.supervisor = supervisor;
    this.qmpListener = qmpListener;
    errorOutput = new ErrorOutput(supervisor.errorOutput());
    errorReader = new Thread(null, errorOutput, threadName, 256 << 10);
    errorReader.setDaemon(true);
    errorReader.start();
    supervisor.onExit().thenRun(() -> closeQuietly(qmpListener));
  }

  /**
   * Starts QEMU.
   *
   * @param folder has its sockets, and is deleted when it ends
   * @param command its command line, which connects to the socket {@code qmp} of the folder
   * @param threadPrefix what thread names begin with
   * @throws HypervisorException if no process can be made
   */
  static QemuProcess start(PrivateFolder folder, List<String> command, String threadPrefix) {
    ServerSocketChannel listener = listen(folder.file(QemuCommand.QMP_SOCKET));
    Supervisor supervisor = null;
    try {
      supervisor = Supervisor.start(folder.path(), command);
      return new QemuProcess(supervisor, listener, threadPrefix + "-stderr");
    } catch (Throwable t) { // also when no thread can be made
      closeQuietly(listener);
      if (supervisor != null) {
        supervisor.kill();
      }
      throw t;
    }
  }

  static ServerSocketChannel listen(Path socket) {
    ServerSocketChannel listener = null;
    try {
      listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      listener.bind(UnixDomainSocketAddress.of(socket));
      return listener;
    } catch (IOException e) {
      if (listener != null) {
        closeQuietly(listener);
      }
      throw new HypervisorException(
          "bind(" + socket + ")", 0, "cannot listen on " + socket + ": " + e);
    }
  }

  static void closeQuietly(AutoCloseable channel) {
    try {
      channel.close();
    } catch (Exception e) {
      // closing a Unix socket tells nothing that anybody could act on
    }
  }

  /**
   * Waits until QEMU has made the machine and takes commands.
   *
   * @param timeout after which QEMU is killed
   * @throws HypervisorException if QEMU ends, or says nothing in time; the message has what it
   *     wrote
   */
  QmpConnection connect(Duration timeout) {
    CompletableFuture<Void> watchdog = killAfter(timeout);
    try {
      QmpConnection connection = new QmpConnection(qmpListener.accept());
      qmp = connection;
      closeQuietly(qmpListener);
      connection.handshake();
      return connection;
    } catch (IOException e) {
      boolean late = watchdog.isDone();
      kill();
      awaitEnd();
      throw new HypervisorException(
          "qemu-system-x86_64",
          0,
          (late
                  ? "QEMU did not answer within " + timeout.toSeconds() + " s"
                  : "QEMU ended before the machine was made (" + describeEnd() + ")")
              + tailOr(": " + e.getMessage()));
    } finally {
      watchdog.cancel(false);
    }
  }

  private String tailOr(String otherwise) {
    String tail = errorOutput.tail();
    return tail.isEmpty() ? otherwise : ": " + tail;
  }

  /** Kills QEMU after {@code timeout} unless the result is cancelled. */
  CompletableFuture<Void> killAfter(Duration timeout) {
    Executor later =
        CompletableFuture.delayedExecutor(timeout.toMillis(), TimeUnit.MILLISECONDS, Runnable::run);
    return CompletableFuture.runAsync(this::kill, later);
  }

  /** Kills QEMU with SIGKILL. Returns at once. Idempotent. */
  public void kill() {
    supervisor.kill();
  }

  /**
   * Waits for QEMU's end and all of its error output; false if it has not ended in time.
   *
   * @param timeout how long to wait
   */
  public boolean awaitEnd(Duration timeout) {
    if (!supervisor.awaitExit(timeout)) {
      return false;
    }
    Threads.joinUninterruptibly(errorReader);
    return true;
  }

  private void awaitEnd() {
    awaitEnd(EXIT_TIMEOUT);
  }

  /** Returns how QEMU ended, such as {@code exit status 1}; {@code still running} if it did not. */
  public String describeEnd() {
    return supervisor.describeExit();
  }

  /** Returns the last lines of QEMU's error output. */
  public String errorTail() {
    return errorOutput.tail();
  }

  /** Returns whether a CPU gave up over a triple fault. */
  public boolean sawTripleFault() {
    return errorOutput.sawTripleFault();
  }

  /** Kills QEMU, waits for its end, and closes what belongs to it. Idempotent. */
  @Override
  public void close() {
    kill();
    awaitEnd();
    closeQuietly(qmpListener);
    QmpConnection connection = qmp;
    if (connection != null) {
      connection.close();
    }
  }
}
