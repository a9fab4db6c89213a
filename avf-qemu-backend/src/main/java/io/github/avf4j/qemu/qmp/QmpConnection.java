package io.github.avf4j.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A QMP connection.
 *
 * <p>{@link #send} is thread-safe; everything that receives is confined to one thread at a time.
 * Blocks without limit: the caller ends the process, and with it the connection, when it has waited
 * long enough.
 */
public final class QmpConnection implements AutoCloseable {
  /** The longest line accepted, in bytes. */
  static final int MAX_LINE = 256 << 10;

  /** How many events may come while a command is waited for. */
  private static final int MAX_PENDING = 256;

  private final ByteChannel channel;
  private final ByteBuffer input = ByteBuffer.allocate(8192).flip();
  private final Queue<QmpMessage.Event> pending = new ArrayDeque<>();

  /** Makes a connection over {@code channel}, which it closes. */
  public QmpConnection(ByteChannel channel) {
    this.channel = channel;
  }

  /**
   * Reads the greeting and enters command mode. Returns when QEMU has made the machine.
   *
   * @throws IOException if the connection ends or QEMU does not speak QMP
   */
  public QmpMessage.Greeting handshake() throws IOException {
    if (!(next() instanceof QmpMessage.Greeting greeting)) {
      throw new QmpProtocolException("QEMU did not begin with a greeting");
    }
    call("qmp_capabilities", JsonNodeFactory.instance.objectNode());
    return greeting;
  }

  /**
   * Runs a command; events that come meanwhile are kept for {@link #receive}.
   *
   * @throws IOException if the command fails or the connection ends
   */
  public JsonNode call(String command, ObjectNode arguments) throws IOException {
    write(command, arguments);
    while (true) {
      QmpMessage message = next();
      if (message instanceof QmpMessage.Return result) {
        return result.value();
      } else if (message instanceof QmpMessage.Event event && pending.size() < MAX_PENDING) {
        pending.add(event);
      } else if (message instanceof QmpMessage.Failure failure) {
        throw new QmpProtocolException(
            "QEMU refused the command " + command + ": " + failure.description());
      } else if (message == null) {
        throw new EOFException("QEMU closed its QMP connection");
      } else {
        throw new QmpProtocolException("QEMU sent what does not belong there: " + message);
      }
    }
  }

  /** Sends a command without arguments; its answer comes by {@link #receive}. */
  public void send(String command) throws IOException {
    write(command, JsonNodeFactory.instance.objectNode());
  }

  /** Returns the next message, null at the end of the connection. */
  public @Nullable QmpMessage receive() throws IOException {
    QmpMessage event = pending.poll();
    return event != null ? event : next();
  }

  private synchronized void write(String command, ObjectNode arguments) throws IOException {
    ByteBuffer line = ByteBuffer.wrap(QmpCodec.encode(command, arguments));
    // A socket that an interrupted thread writes to is closed, and with it goes the machine.
    boolean interrupted = Thread.interrupted();
    try {
      while (line.hasRemaining()) {
        channel.write(line);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private @Nullable QmpMessage next() throws IOException {
    byte[] line = new byte[512];
    int length = 0;
    while (true) {
      if (!input.hasRemaining()) {
        input.clear();
        int n;
        try {
          n = channel.read(input);
        } finally {
          input.flip();
        }
        if (n < 0) {
          return null;
        }
      }
      byte b = input.get();
      if (b == '\n') {
        return QmpCodec.parse(line, length);
      }
      if (length == MAX_LINE) {
        throw new QmpProtocolException("QEMU sent a QMP line of more than " + MAX_LINE + " bytes");
      }
      if (length == line.length) {
        line = Arrays.copyOf(line, Math.min(MAX_LINE, 2 * length));
      }
      line[length++] = b;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // closing a Unix socket tells nothing that anybody could act on
    }
  }
}
