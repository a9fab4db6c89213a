package io.github.avf4j.microdroid.report;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Writes what the host tells a guest with a verified payload, on the channel on which the guest
 * {@linkplain GuestReports reports} and in frames of the same form.
 *
 * <table>
 * <caption>Kinds of messages</caption>
 * <tr><th>kind</th><th>message</th><th>fields</th></tr>
 * <tr><td>1</td><td>BOOT</td><td>u32 flags, 64 bytes instance id, the handover</td></tr>
 * <tr><td>2</td><td>ATTESTATION_RESULT</td><td>u8 status; if it is 0, the certificates, leaf first,
 *     each a u32 length and its DER; else UTF-8 text of at most 4096 bytes</td></tr>
 * </table>
 *
 * <p>BOOT follows HELLO. Each result answers one request.
 */
public final class HostMessages {
  private static final int MAX_BODY = 65536;
  private static final int MAX_REASON = 4096;
  private static final int INSTANCE_ID = 64;

  private static final byte BOOT = 1;
  private static final byte ATTESTATION_RESULT = 2;

  private static final int STRICT_BOOT = 1;
  private static final int NEW_INSTANCE = 1 << 1;
  private static final int DEFERRED_ROLLBACK_PROTECTION = 1 << 2;

  private HostMessages() {}

  /** How a request for a certificate ended; the order is that of the numbers. */
  public enum AttestationStatus {
    /** There are certificates. */
    OK,
    /** This host does not attest. */
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
   */
  public record Instance(boolean newInstance, boolean deferredRollbackProtection, ByteSlice id) {}

  /**
   * The message with which a guest begins; the caller closes it.
   *
   * @param handover the encoded handover, which stays open
   * @throws IllegalArgumentException if the id or the handover has a wrong size
   */
  public static SecretBytes boot(Instance instance, SecretBytes handover) {
    if (instance.id().length() != INSTANCE_ID) {
      throw new IllegalArgumentException(
          "an instance id must have 64 bytes but has " + instance.id().length());
    }
    int flags =
        STRICT_BOOT
            | (instance.newInstance() ? NEW_INSTANCE : 0)
            | (instance.deferredRollbackProtection() ? DEFERRED_ROLLBACK_PROTECTION : 0);
    ByteBuffer frame = frame(BOOT, 4 + INSTANCE_ID + handover.length());
    frame.putInt(flags).put(instance.id().asByteBuffer());
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
    frame.put((byte) AttestationStatus.OK.ordinal());
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
  public static byte[] notAttested(AttestationStatus status, String reason) {
    if (status == AttestationStatus.OK) {
      throw new IllegalArgumentException("status must not be OK without certificates");
    }
    byte[] text = reason.getBytes(StandardCharsets.UTF_8);
    byte[] cut = Arrays.copyOf(text, Math.min(text.length, MAX_REASON));
    return frame(ATTESTATION_RESULT, 1 + cut.length).put((byte) status.ordinal()).put(cut).array();
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
