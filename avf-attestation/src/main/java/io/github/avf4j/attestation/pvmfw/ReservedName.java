package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A name of VMs that the rollback configuration of 2026 ties to a version and a key.
 *
 * <p><em>Unconfirmed</em>: where the configuration data holds this blob, so callers give it by
 * itself; that offsets of names count from the end of the entries, as in reserved memory; that
 * nothing is aligned.
 *
 * @param vmName the name
 * @param rollbackIndex which a VM of the name must have, unsigned; all ones: no VM may have the
 *     name
 * @param keyId the index of an extra trusted key, or {@link #OWN_KEY} for the firmware's own
 */
public record ReservedName(String vmName, long rollbackIndex, int keyId) {
  /** The id of the firmware's own key. */
  public static final int OWN_KEY = 0xffff;

  private static final int ENTRY = 32;
  private static final int MAX_COUNT = 256;
  private static final int MAX_NAME = 255;

  /**
   * Reads the blob; little-endian.
   *
   * @throws PvmfwException of error CONFIG_INVALID_ROLLBACK
   */
  public static List<ReservedName> parse(ByteSlice blob) {
    if (blob.length() < 4) {
      throw fault("the count is cut off", blob, 0);
    }
    ByteBuffer in = blob.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long count = Integer.toUnsignedLong(in.getInt(0));
    if (count > MAX_COUNT || 4 + count * ENTRY > blob.length()) {
      throw fault(
          "%d entries do not fit, or are more than %d".formatted(count, MAX_COUNT), blob, 0);
    }
    ByteSlice names = blob.slice(4 + (int) count * ENTRY);
    List<ReservedName> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = 4 + i * ENTRY;
      if (in.getShort(at + 14) != 0 || in.getLong(at + 16) != 0 || in.getLong(at + 24) != 0) {
        throw fault("reserved fields must be 0", blob, at + 14);
      }
      all.add(
          new ReservedName(
              name(names, Integer.toUnsignedLong(in.getInt(at + 8)), blob, at + 8),
              in.getLong(at),
              Short.toUnsignedInt(in.getShort(at + 12))));
    }
    if (all.stream().map(ReservedName::vmName).distinct().count() != all.size()) {
      throw fault("a name occurs twice", blob, 0);
    }
    return List.copyOf(all);
  }

  private static String name(ByteSlice names, long from, ByteSlice blob, int at) {
    long end = from;
    while (end < names.length() && end - from <= MAX_NAME && names.at((int) end) != 0) {
      end++;
    }
    if (end >= names.length() || end == from || end - from > MAX_NAME) {
      throw fault("a name is empty, has more than 255 bytes, or does not end", blob, at);
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(names.slice((int) from, (int) end).asByteBuffer())
          .toString();
    } catch (CharacterCodingException e) {
      throw fault("a name is not UTF-8", blob, at);
    }
  }

  /** Whether no VM may have the name. */
  public boolean isForNobody() {
    return rollbackIndex == -1;
  }

  /** The index of the key among all trusted ones, of which the firmware's own is the first. */
  int keyIndex() {
    return keyId == OWN_KEY ? 0 : keyId + 1;
  }

  private static PvmfwException fault(String reason, ByteSlice blob, int at) {
    return new PvmfwException(
        PvmfwError.CONFIG_INVALID_ROLLBACK,
        "rollback configuration: " + reason,
        blob.offset() + (long) at);
  }
}
