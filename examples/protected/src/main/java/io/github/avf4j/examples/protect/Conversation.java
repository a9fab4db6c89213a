package io.github.avf4j.examples.protect;

import io.github.avf4j.VsockChannel;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;

/**
 * Questions to the payload and its answers, each a length of four bytes, a kind of one byte, and
 * fields; all little-endian. Confined to one thread.
 */
final class Conversation implements AutoCloseable {
  private static final int CHALLENGE = 1;
  private static final int CHAIN = 2;
  private static final int WHERE = 3;
  private static final int OFF = 4;
  private static final int FAILED = 255;

  private static final int DIGEST_SIZE = 32;
  private static final int MAX_BODY = 65536;

  private final VsockChannel channel;
  private final DataInputStream in;

  /**
   * The payload's DICE chain.
   *
   * @param encoded the chain in CBOR, empty if the payload was started without firmware
   * @param signature of its last key
   */
  record Chain(byte[] encoded, byte[] signature) {}

  /**
   * Where the secret is in the guest's memory.
   *
   * @param address guest-physical
   * @param length in bytes
   */
  record Place(long address, long length) {}

  /** Talks through {@code channel}, which it owns. */
  Conversation(VsockChannel channel) {
    this.channel = channel;
    this.in = new DataInputStream(Channels.newInputStream(channel));
  }

  /** Returns the digest of {@code challenge} (32 bytes) that only the secret's owner can make. */
  byte[] digest(byte[] challenge) throws IOException {
    ByteBuffer answer = ask(CHALLENGE, challenge);
    require(answer.remaining() == DIGEST_SIZE, "its digest has another length");
    byte[] digest = new byte[DIGEST_SIZE];
    answer.get(digest);
    return digest;
  }

  /** Returns the chain, signed for {@code challenge} (1 to 64 bytes). */
  Chain chain(byte[] challenge) throws IOException {
    ByteBuffer answer = ask(CHAIN, challenge);
    require(answer.remaining() >= 4, "its chain is cut");
    int length = answer.getInt();
    require(length >= 0 && length <= answer.remaining(), "its chain is cut");
    byte[] encoded = new byte[length];
    answer.get(encoded);
    byte[] signature = new byte[answer.remaining()];
    answer.get(signature);
    return new Chain(encoded, signature);
  }

  /** Returns where the secret is. */
  Place place() throws IOException {
    ByteBuffer answer = ask(WHERE, new byte[0]);
    require(answer.remaining() == 2 * Long.BYTES, "its place has another length");
    return new Place(answer.getLong(), answer.getLong());
  }

  /** Lets the payload switch its machine off; there is no answer. */
  void off() throws IOException {
    send(OFF, new byte[0]);
  }

  private ByteBuffer ask(int kind, byte[] fields) throws IOException {
    send(kind, fields);
    int length = Integer.reverseBytes(in.readInt());
    require(length >= 1 && length <= MAX_BODY, "its answer has " + length + " bytes");
    byte[] body = in.readNBytes(length);
    require(body.length == length, "its answer is cut");
    int answered = Byte.toUnsignedInt(body[0]);
    if (answered == FAILED) {
      throw new IOException(
          "the payload refuses: " + new String(body, 1, length - 1, StandardCharsets.UTF_8));
    }
    require(answered == kind, "it answers " + answered + " to " + kind);
    return ByteBuffer.wrap(body, 1, length - 1).slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  private void send(int kind, byte[] fields) throws IOException {
    ByteBuffer frame = ByteBuffer.allocate(5 + fields.length).order(ByteOrder.LITTLE_ENDIAN);
    frame.putInt(1 + fields.length).put((byte) kind).put(fields).flip();
    while (frame.hasRemaining()) {
      channel.write(frame);
    }
  }

  private static void require(boolean condition, String problem) throws ProtocolException {
    if (!condition) {
      throw new ProtocolException("the payload breaks the protocol: " + problem);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
