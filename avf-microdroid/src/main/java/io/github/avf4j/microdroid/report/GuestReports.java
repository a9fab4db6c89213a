package io.github.avf4j.microdroid.report;

import io.github.avf4j.BootStage;
import io.github.avf4j.ErrorCode;
import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Reads what a guest reports about its payload.
 *
 * <p>A frame is the length of its body (u32, 1 to 65536) and the body: the kind (u8) and the fields
 * of that kind. All integers are little-endian.
 *
 * <table>
 * <caption>Kinds of reports</caption>
 * <tr><th>kind</th><th>report</th><th>fields</th></tr>
 * <tr><td>1</td><td>HELLO</td><td>u32 version, u64 nanoseconds from boot to init</td></tr>
 * <tr><td>2</td><td>PAYLOAD_STARTED</td><td>u32 pid, u64 nanoseconds from boot</td></tr>
 * <tr><td>3</td><td>PAYLOAD_READY</td><td>u64 nanoseconds from boot</td></tr>
 * <tr><td>4</td><td>PAYLOAD_FINISHED</td><td>i32 exit code, i32 signal</td></tr>
 * <tr><td>5</td><td>ERROR</td><td>u32 code, UTF-8 text of at most 4096 bytes</td></tr>
 * <tr><td>6</td><td>STEP</td><td>u8 step, u64 nanoseconds from boot</td></tr>
 * <tr><td>7</td><td>ATTESTATION_REQUEST</td><td>u8 0 or 1 for test mode, the CSR</td></tr>
 * <tr><td>8</td><td>KEEPER_REQUEST</td><td>u8 {@linkplain KeeperStep step}, its content</td></tr>
 * </table>
 *
 * <p>HELLO comes first. Steps, each at most once and in their order, started, ready and finished
 * come in this order; steps and ready may be left out. An attestation request may come whenever the
 * payload runs, a keeper request at any time after HELLO. FINISHED or ERROR is the last one.
 * Everything else is refused.
 *
 * <p>Confined to one thread.
 */
public final class GuestReports {
  private static final int VERSION = 1;
  private static final int MAX_BODY = 65536;
  private static final int MAX_MESSAGE = 4096;

  private static final int HELLO = 1;
  private static final int PAYLOAD_STARTED = 2;
  private static final int PAYLOAD_READY = 3;
  private static final int PAYLOAD_FINISHED = 4;
  private static final int ERROR = 5;
  private static final int STEP = 6;
  private static final int ATTESTATION_REQUEST = 7;
  private static final int KEEPER_REQUEST = 8;

  /** The steps of a guest that verifies its payload; the first one has the number 1. */
  private static final List<BootStage> STEPS =
      List.of(
          BootStage.HANDOVER_TAKEN,
          BootStage.PAYLOAD_VERIFIED,
          BootStage.SECRETS_DERIVED,
          BootStage.APEXES_ACTIVATED,
          BootStage.PAYLOAD_MOUNTED,
          BootStage.STORE_OPENED);

  private static final List<KeeperStep> KEEPER_STEPS = List.of(KeeperStep.values());

  /** What the guest has told so far; only ever moves forward. */
  private enum State {
    CONNECTED,
    GREETED,
    STARTED,
    READY,
    ENDED
  }

  /** One report. */
  public sealed interface Report {}

  /**
   * The guest's init runs.
   *
   * @param bootNanos when it started, in nanoseconds of the guest's clock since its boot
   */
  public record Hello(long bootNanos) implements Report {}

  /**
   * The payload's process has started.
   *
   * @param pid its process id in the guest
   * @param bootNanos when, in nanoseconds of the guest's clock since its boot
   */
  public record PayloadStarted(long pid, long bootNanos) implements Report {}

  /**
   * The payload said that it is ready.
   *
   * @param bootNanos when, in nanoseconds of the guest's clock since its boot
   */
  public record PayloadReady(long bootNanos) implements Report {}

  /**
   * The payload has ended.
   *
   * @param exitCode its exit code, 128 plus the signal if one ended it
   */
  public record PayloadFinished(int exitCode) implements Report {}

  /**
   * The guest cannot run the payload.
   *
   * @param code why
   * @param message for people; control characters are replaced
   */
  public record Failure(ErrorCode code, String message) implements Report {}

  /**
   * The guest has made a step on its way to the payload.
   *
   * @param stage what is done
   * @param bootNanos when, in nanoseconds of the guest's clock since its boot
   */
  public record Step(BootStage stage, long bootNanos) implements Report {}

  /**
   * The payload asks for a certificate.
   *
   * @param testMode whether it asks for one that is good for tests only
   * @param csr the request, not looked at
   */
  public record AttestationRequest(boolean testMode, byte[] csr) implements Report {}

  /** What a guest says to a keeper of secrets; the first one has the number 1. */
  public enum KeeperStep {
    /** It begins a key exchange. */
    HELLO,
    /** It ends the key exchange with its signature. */
    SIGNATURE,
    /** It sends a message of the session. */
    MESSAGE
  }

  /**
   * The guest says something to the keeper of secrets.
   *
   * @param step what it is
   * @param content not looked at
   */
  public record KeeperRequest(KeeperStep step, byte[] content) implements Report {}

  private final ReadableByteChannel channel;
  private State state = State.CONNECTED;
  private int lastStep;

  /** Makes a reader of {@code channel}, which stays open and must be blocking. */
  public GuestReports(ReadableByteChannel channel) {
    this.channel = channel;
  }

  /**
   * Waits for the next report.
   *
   * @return the report; empty after the last one
   * @throws EOFException if the guest closed the channel before its last report
   * @throws ProtocolException if the guest does not keep to the protocol
   * @throws IOException if the channel fails
   */
  public Optional<Report> next() throws IOException {
    if (state == State.ENDED) {
      return Optional.empty();
    }
    int length = read(4).getInt();
    if (length < 1 || length > MAX_BODY) {
      throw new ProtocolException(
          "a report must have 1 to "
              + MAX_BODY
              + " bytes but has "
              + Integer.toUnsignedString(length));
    }
    ByteBuffer body = read(length);
    int kind = body.get();
    return Optional.of(
        switch (kind) {
          case HELLO -> hello(body);
          case PAYLOAD_STARTED -> started(body);
          case PAYLOAD_READY -> ready(body);
          case PAYLOAD_FINISHED -> finished(body);
          case ERROR -> error(body);
          case STEP -> step(body);
          case ATTESTATION_REQUEST -> attestationRequest(body);
          case KEEPER_REQUEST -> keeperRequest(body);
          default -> throw new ProtocolException("unknown report kind " + (kind & 0xff));
        });
  }

  private Report hello(ByteBuffer body) throws ProtocolException {
    move("HELLO", State.CONNECTED, State.CONNECTED, State.GREETED);
    // The version is looked at before the rest, which another version may have otherwise.
    long version = body.remaining() < 4 ? 0 : Integer.toUnsignedLong(body.getInt());
    if (version != VERSION) {
      throw new ProtocolException(
          "the guest's init speaks report version "
              + version
              + ", this library version "
              + VERSION);
    }
    size("HELLO", body, 8);
    return new Hello(body.getLong());
  }

  private Report started(ByteBuffer body) throws ProtocolException {
    move("PAYLOAD_STARTED", State.GREETED, State.GREETED, State.STARTED);
    size("PAYLOAD_STARTED", body, 12);
    return new PayloadStarted(Integer.toUnsignedLong(body.getInt()), body.getLong());
  }

  private Report ready(ByteBuffer body) throws ProtocolException {
    move("PAYLOAD_READY", State.STARTED, State.STARTED, State.READY);
    size("PAYLOAD_READY", body, 8);
    return new PayloadReady(body.getLong());
  }

  private Report finished(ByteBuffer body) throws ProtocolException {
    move("PAYLOAD_FINISHED", State.STARTED, State.READY, State.ENDED);
    size("PAYLOAD_FINISHED", body, 8);
    int exitCode = body.getInt();
    int signal = body.getInt();
    return new PayloadFinished(signal == 0 ? exitCode : 128 + signal);
  }

  private Report error(ByteBuffer body) throws ProtocolException {
    // An init that fails early has not even greeted.
    move("ERROR", State.CONNECTED, State.READY, State.ENDED);
    if (body.remaining() < 4 || body.remaining() > 4 + MAX_MESSAGE) {
      throw new ProtocolException("ERROR has a body of " + (body.remaining() + 1) + " bytes");
    }
    ErrorCode code = ErrorCode.of(body.getInt());
    String message = StandardCharsets.UTF_8.decode(body).toString();
    return new Failure(code, GuestText.oneLine(message).strip());
  }

  private Report step(ByteBuffer body) throws ProtocolException {
    move("STEP", State.GREETED, State.GREETED, State.GREETED);
    size("STEP", body, 9);
    int step = body.get() & 0xff;
    if (step <= lastStep || step > STEPS.size()) {
      throw new ProtocolException("STEP " + step + " came after step " + lastStep);
    }
    lastStep = step;
    return new Step(STEPS.get(step - 1), body.getLong());
  }

  private Report attestationRequest(ByteBuffer body) throws ProtocolException {
    move("ATTESTATION_REQUEST", State.STARTED, State.READY, state);
    int mode = body.hasRemaining() ? body.get() : -1;
    if (mode < 0 || mode > 1 || !body.hasRemaining()) {
      throw new ProtocolException("ATTESTATION_REQUEST lacks its mode or its content");
    }
    byte[] csr = new byte[body.remaining()];
    body.get(csr);
    return new AttestationRequest(mode == 1, csr);
  }

  private Report keeperRequest(ByteBuffer body) throws ProtocolException {
    move("KEEPER_REQUEST", State.GREETED, State.READY, state);
    int step = body.hasRemaining() ? body.get() : 0;
    if (step < 1 || step > KEEPER_STEPS.size() || !body.hasRemaining()) {
      throw new ProtocolException("KEEPER_REQUEST lacks its step or its content");
    }
    byte[] content = new byte[body.remaining()];
    body.get(content);
    return new KeeperRequest(KEEPER_STEPS.get(step - 1), content);
  }

  private void move(String report, State from, State to, State next) throws ProtocolException {
    if (state.compareTo(from) < 0 || state.compareTo(to) > 0) {
      throw new ProtocolException(report + " came when the guest was " + state);
    }
    state = next;
  }

  private static void size(String report, ByteBuffer body, int expected) throws ProtocolException {
    if (body.remaining() != expected) {
      throw new ProtocolException(
          report + " has " + body.remaining() + " bytes where " + expected + " are expected");
    }
  }

  private ByteBuffer read(int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the guest closed its report channel too early");
      }
    }
    return buffer.flip();
  }
}
