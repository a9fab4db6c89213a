package io.github.avf4j.payload;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Answers every request with the same bytes, as they are, and remembers the requests. */
final class FakeManager implements AutoCloseable {
  private final ServerSocketChannel server;
  private final Path socket;
  private final byte[] answer;
  private final List<byte[]> requests = new CopyOnWriteArrayList<>();
  private final Thread thread = new Thread(this::serve, "fake-manager");

  /** Answers with these bytes, of which the length is the caller's to give. */
  FakeManager(Path folder, byte[] answer) throws IOException {
    this.socket = folder.resolve("service");
    this.answer = answer;
    this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    thread.setDaemon(true);
    thread.start();
  }

  /** Answers with a frame of this body. */
  static FakeManager ofBody(Path folder, byte[] body) throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(4 + body.length).order(ByteOrder.LITTLE_ENDIAN);
    return new FakeManager(folder, frame.putInt(body.length).put(body).array());
  }

  ServiceClient client() {
    return new ServiceClient(socket.toString());
  }

  /** The bodies that came. */
  List<byte[]> requests() {
    return requests;
  }

  private void serve() {
    while (server.isOpen()) {
      try (SocketChannel client = server.accept()) {
        int length = fill(client, 4).getInt();
        requests.add(fill(client, length).array());
        client.write(ByteBuffer.wrap(answer));
      } catch (IOException e) {
        // A client that went away; or this was closed.
      }
    }
  }

  private static ByteBuffer fill(SocketChannel client, int size) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (client.read(buffer) < 0) {
        throw new IOException("the client has closed");
      }
    }
    return buffer.flip();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
