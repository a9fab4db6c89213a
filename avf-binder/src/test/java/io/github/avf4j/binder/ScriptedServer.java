package io.github.avf4j.binder;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A server that sends bytes and insists on bytes. A script is lines of hexadecimal digits: {@code
 * <} is what the client must send, {@code >} what it gets; {@code .} stands for a byte of any
 * value.
 */
final class ScriptedServer implements AutoCloseable {
  private final ServerSocket listener;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Future<?>> scripts = new ArrayList<>();

  /** Plays one script a connection, in the order of connections, and then waits for the end. */
  ScriptedServer(String... connections) throws IOException {
    listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    scripts.add(
        threads.submit(
            () -> {
              for (String script : connections) {
                Socket socket = listener.accept();
                scripts.add(threads.submit(() -> play(socket, script)));
              }
              return null;
            }));
  }

  ByteChannel connect() throws IOException {
    return SocketChannel.open(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.getLocalPort()));
  }

  private static void play(Socket socket, String script) {
    try (socket) {
      socket.setSoTimeout(20_000);
      for (String line : script.split("\n")) {
        String digits = line.replaceAll("#.*|\\s", "");
        if (digits.startsWith(">")) {
          socket.getOutputStream().write(HexFormat.of().parseHex(digits.substring(1)));
        } else if (digits.startsWith("<")) {
          String expected = digits.substring(1);
          byte[] sent = socket.getInputStream().readNBytes(expected.length() / 2);
          String actual = HexFormat.of().formatHex(sent);
          if (!actual.matches(expected)) {
            throw new AssertionError("sent " + actual + " instead of " + expected);
          }
        }
      }
      awaitEnd(socket);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void awaitEnd(Socket socket) throws IOException {
    try {
      socket.getInputStream().readAllBytes();
    } catch (SocketException e) {
      // Reset, as the client has not read all that it was sent.
    }
  }

  /** Waits for the scripts; fails if the client has not sent what it must. */
  void await() throws InterruptedException, TimeoutException {
    for (int i = 0; i < scripts.size(); i++) {
      try {
        scripts.get(i).get(30, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause());
      }
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    threads.shutdownNow();
  }
}
