package io.github.avf4j.payload;

import io.github.avf4j.payload.PayloadServiceException.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Calls the manager of the virtual machine, over a connection of its own each time.
 *
 * <p>A frame is the length of its body (32 bits, little-endian) and the body: a byte that says
 * which request, or how it went, and fields. Thread-safe.
 */
final class ServiceClient {
  static final byte NOTIFY_READY = 1;
  static final byte INSTANCE_SECRET = 2;
  static final byte REQUEST_ATTESTATION = 5;
  static final byte READ_ROLLBACK_PROTECTED = 6;
  static final byte WRITE_ROLLBACK_PROTECTED = 7;
  static final byte IS_NEW_INSTANCE = 8;

  private static final String SOCKET = "/dev/socket/vm_payload_service";
  private static final String SOCKET_VARIABLE = "AVF_VM_PAYLOAD_SERVICE";
  private static final int MAX_REQUEST = 64 << 10;
  private static final int MAX_RESPONSE = (1 << 20) + (4 << 10);
  private static final int LENGTH = 4;
  private static final int OK = 0;

  private final String socket;

  ServiceClient(String socket) {
    this.socket = socket;
  }

  /** A client of the machine that this process runs in. */
  static ServiceClient ofMachine() {
    String other = System.getenv(SOCKET_VARIABLE);
    return new ServiceClient(other == null || other.isEmpty() ? SOCKET : other);
  }

  /**
   * Sends a request and returns the fields of the answer, little-endian.
   *
   * @throws PayloadServiceException if there is no answer, or it is no
   */
  ByteBuffer call(byte request, byte[]... fields) {
    int length = 1;
    for (byte[] field : fields) {
      length += field.length;
    }
    if (length > MAX_REQUEST) {
      throw new IllegalArgumentException(
          "a request must have at most " + MAX_REQUEST + " bytes but has " + length);
    }
    ByteBuffer frame = buffer(LENGTH + length).putInt(length).put(request);
    for (byte[] field : fields) {
      frame.put(field);
    }
    try {
      return fields(exchange(frame.flip()));
    } catch (IOException e) {
      throw new PayloadServiceException(
          Reason.UNREACHABLE,
          "the virtual machine's payload service at %s does not answer (%s): is this code in a virtual machine?"
              .formatted(socket, e.getMessage()),
          e);
    } finally {
      Arrays.fill(frame.array(), (byte) 0);
    }
  }

  private ByteBuffer exchange(ByteBuffer frame) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      while (frame.hasRemaining()) {
        channel.write(frame);
      }
      int length = fill(channel, buffer(LENGTH)).getInt();
      if (length < 1 || length > MAX_RESPONSE) {
        throw protocol("a frame of " + Integer.toUnsignedString(length) + " bytes");
      }
      return fill(channel, buffer(length));
    }
  }

  private static ByteBuffer fill(SocketChannel channel, ByteBuffer target) throws IOException {
    while (target.hasRemaining()) {
      if (channel.read(target) < 0) {
        throw new EOFException("it closed the connection");
      }
    }
    return target.flip();
  }

  private static ByteBuffer fields(ByteBuffer body) {
    int status = Byte.toUnsignedInt(body.get());
    if (status == OK) {
      return body;
    }
    String message = StandardCharsets.UTF_8.decode(body).toString();
    throw switch (status) {
      case 1 -> new PayloadServiceException(Reason.SECURITY, "not allowed: " + message);
      case 2 ->
          new PayloadServiceException(Reason.ILLEGAL_ARGUMENT, "illegal argument: " + message);
      case 3 -> new PayloadServiceException(Reason.UNSUPPORTED, "unsupported: " + message);
      case 4 -> new PayloadServiceException(Reason.FAILED, "failed: " + message);
      default -> protocol("the status " + status);
    };
  }

  /** Says that the answer has something that it must not have. */
  static PayloadServiceException protocol(String what) {
    return new PayloadServiceException(
        Reason.PROTOCOL, "the virtual machine's payload service sent " + what);
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
