package io.github.avf4j.qemu.process;

import io.github.avf4j.linux.Threads;
import io.github.avf4j.spi.ByteSink;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes what QEMU writes to one of its character devices, on a thread of its own and with a buffer
 * of a fixed size, and writes what the device is to read.
 *
 * <p>It always takes, so that QEMU never waits. Thread-safe.
 */
public final class OutputPump implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OutputPump.class);
  private static final int BUFFER_SIZE = 16 << 10;

  private final ServerSocketChannel listener;
  private final ByteSink sink;
  private final CompletableFuture<SocketChannel> connection = new CompletableFuture<>();
  private final Thread thread;

  private OutputPump(ServerSocketChannel listener, ByteSink sink, String threadName) {
    this.listener = listener;
    this.sink = sink;
    thread = new Thread(null, this::run, threadName, 256 << 10);
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Listens on {@code socket}, which must not exist yet, for one connection.
   *
   * @throws io.github.avf4j.HypervisorException if it cannot be bound
   */
  static OutputPump listen(Path socket, ByteSink sink, String threadName) {
    ServerSocketChannel listener = QemuProcess.listen(socket);
    try {
      return new OutputPump(listener, sink, threadName);
    } catch (Throwable t) { // no thread can be made
      QemuProcess.closeQuietly(listener);
      throw t;
    }
  }

  private void run() {
    try (SocketChannel channel = listener.accept()) {
      QemuProcess.closeQuietly(listener);
      connection.complete(channel);
      ByteSink taker = sink;
      byte[] bytes = new byte[BUFFER_SIZE];
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      for (int n = channel.read(buffer); n >= 0; n = channel.read(buffer.clear())) {
        taker = write(taker, bytes, n);
      }
    } catch (IOException e) {
      LOG.debug("a character device of QEMU ended: {}", e.toString());
      connection.completeExceptionally(e);
    }
  }

  private static ByteSink write(ByteSink taker, byte[] bytes, int length) {
    try {
      taker.write(bytes, 0, length);
      return taker;
    } catch (RuntimeException e) {
      LOG.warn("a taker of a guest's output failed; the rest is dropped", e);
      return ByteSink.DISCARD;
    }
  }

  /**
   * Returns a stream to the device. A write blocks while the device takes nothing, and an interrupt
   * of the writing thread closes the connection in both directions.
   */
  public OutputStream input() {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
        SocketChannel channel = connected();
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
      }
    };
  }

  private SocketChannel connected() throws IOException {
    try {
      return connection.get();
    } catch (ExecutionException e) {
      throw new IOException("the machine has stopped", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Waits until all output was taken; QEMU has ended. */
  public void awaitEnd() {
    QemuProcess.closeQuietly(listener);
    Threads.joinUninterruptibly(thread);
  }

  /** Ends the connection and the thread. Idempotent. */
  @Override
  public void close() {
    QemuProcess.closeQuietly(listener);
    connection.thenAccept(QemuProcess::closeQuietly);
    Threads.joinUninterruptibly(thread);
  }
}
