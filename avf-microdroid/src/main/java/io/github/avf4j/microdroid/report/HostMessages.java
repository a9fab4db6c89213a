package io.github.avf4j.microdroid.report;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Writes what the host tells a guest with a verified payload, on the channel on which the guest
 * {@linkplain GuestReports reports} and in frames of the same form.
 *
 * <table>
 * <caption>Kinds of messages</caption>
 * <tr><th>kind</th><th>message</th><th>fields</th></tr>
 * <tr><td>1</td><td>BOOT</td><td>u32 flags, 64 bytes instance id, if there is a keeper a u16 length
 *     and its COSE_Key, the handover</td></tr>
 * <tr><td>2</td><td>ATTESTATION_RESULT</td><td>u8 status; if it is 0, the certificates, leaf first,
 *     each a u32 length and its DER; else UTF-8 text of at most 4096 bytes</td></tr>
 * <tr><td>3</td><td>KEEPER_RESPONSE</td><td>u8 status; if it is 0, the content; else UTF-8 text of
 *     at most 4096 bytes</td></tr>
 * </table>
 *
 * <p>BOOT follows HELLO. Each result or response answers one request.
 */
public final class HostMessages {
  private static final int MAX_BODY = 65536;
  private static final int MAX_REASON = 4096;
  private static final int INSTANCE_ID = 64;

  private static final byte BOOT = 1;
  private static final byte ATTESTATION_RESULT = 2;
  private static final byte KEEPER_RESPONSE = 3;

  private static final int STRICT_BOOT = 1;
  private static final int NEW_INSTANCE = 1 << 1;
  private static final int DEFERRED_ROLLBACK_PROTECTION = 1 << 2;
  private static final int KEEPER = 1 << 3;

  private HostMessages() {}

  /** How a request of a guest ended; the order is that of the numbers. */
  public enum Status {
    /** It has what it asked for. */
    OK,
    /** This host never does that for this guest. */
    UNSUPPORTED,
    /** The request was refused. */
    FAILED
  }

  /**
   * What a guest must know of its instance.
   *
   * @param newInstance whether this is its first boot
   * @param deferredRollbackProtection whether the guest itself protects its instance
   * @param id 64 bytes
   * @param keeper the encoded COSE_Key of the keeper of secrets that is connected
   */
  public record Instance(
      boolean newInstance,
      boolean deferredRollbackProtection,
      ByteSlice id,
      Optional<ByteSlice> keeper) {}

  /**
   * The message with which a guest begins; the caller closes it.
   *
   * @param handover the encoded handover, which stays open
   * @throws IllegalArgumentException if the id, the keeper's key or the handover has a wrong size
   */
  public static SecretBytes boot(Instance instance, SecretBytes handover) {
    if (instance.id().length() != INSTANCE_ID) {
      throw new IllegalArgumentException(
          "an instance id must have 64 bytes but has " + instance.id().length());
    }
    int flags =
        STRICT_BOOT
            | (instance.newInstance() ? NEW_INSTANCE : 0)
            | (instance.deferredRollbackProtection() ? DEFERRED_ROLLBACK_PROTECTION : 0)
            | (instance.keeper().isPresent() ? KEEPER : 0);
    int keySize = instance.keeper().map(key -> 2 + key.length()).orElse(0);
    ByteBuffer frame = frame(BOOT, 4 + INSTANCE_ID + keySize + handover.length());
    frame.putInt(flags).put(instance.id().asByteBuffer());
    instance
        .keeper()
        .ifPresent(key -> frame.putShort((short) key.length()).put(key.asByteBuffer()));
    handover.use(frame::put);
    return SecretBytes.takeOver(frame.array());
  }

  /**
   * The answer to a request that was granted.
   *
   * @param certificates DER, leaf first
   * @throws IllegalArgumentException if they do not fit into a frame
   */
  public static byte[] attested(List<byte[]> certificates) {
    int size = 1 + certificates.stream().mapToInt(der -> 4 + der.length).sum();
    ByteBuffer frame = frame(ATTESTATION_RESULT, size);
    frame.put((byte) Status.OK.ordinal());
    for (byte[] der : certificates) {
      frame.putInt(der.length).put(der);
    }
    return frame.array();
  }

  /**
   * The answer to a request that was not granted.
   *
   * @param status why, not OK
   * @param reason for people; cut at 4096 bytes
   */
  public static byte[] notAttested(Status status, String reason) {
    if (status == Status.OK) {
      throw new IllegalArgumentException("status must not be OK without certificates");
    }
    return refusal(ATTESTATION_RESULT, status, reason);
  }

  /**
   * What the keeper of secrets answers.
   *
   * @param content of any length, also none
   * @throws IllegalArgumentException if it does not fit into a frame
   */
  public static byte[] kept(byte[] content) {
    return frame(KEEPER_RESPONSE, 1 + content.length)
        .put((byte) Status.OK.ordinal())
        .put(content)
        .array();
  }

  /**
   * The answer to what no keeper of secrets answers.
   *
   * @param status why, not OK
   * @param reason for people; cut at 4096 bytes
   */
  public static byte[] notKept(Status status, String reason) {
    if (status == Status.OK) {
      throw new IllegalArgumentException("status must not be OK without content");
    }
    return refusal(KEEPER_RESPONSE, status, reason);
  }

  private static byte[] refusal(byte kind, Status status, String reason) {
    byte[] text = reason.getBytes(StandardCharsets.UTF_8);
    byte[] cut = Arrays.copyOf(text, Math.min(text.length, MAX_REASON));
    return frame(kind, 1 + cut.length).put((byte) status.ordinal()).put(cut).array();
  }

  private static ByteBuffer frame(byte kind, int fields) {
    if (fields >= MAX_BODY) {
      throw new IllegalArgumentException(
          "a message must have at most " + MAX_BODY + " bytes but has " + (fields + 1));
    }
    return ByteBuffer.allocate(5 + fields)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(1 + fields)
        .put(kind);
  }
}
