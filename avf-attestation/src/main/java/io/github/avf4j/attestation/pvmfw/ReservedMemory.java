package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.SecretBytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Memory content for a VM of a certain name: the last entry of the configuration data.
 *
 * <p>Contents are seeds and keys as a rule, so they are held as secrets. Closing wipes them.
 *
 * @param vmName the name of the VM that gets it, 1 to 255 bytes
 * @param compatible what its node in the guest's device tree says and is named, 1 to 255 bytes
 * @param content the bytes; belongs to this record
 * @param noMap whether the guest's kernel must not map it
 */
public record ReservedMemory(String vmName, String compatible, SecretBytes content, boolean noMap)
    implements AutoCloseable {
  private static final int HEADER = 20;
  private static final int MAX_COUNT = 256;
  private static final int MAX_TEXT = 255;

  /**
   * Memory content and where it is.
   *
   * @param memory stays with whoever placed it
   * @param address in guest-physical memory, a multiple of the guest's page size
   */
  public record Placed(ReservedMemory memory, long address) {}

  /** Checks the sizes. */
  public ReservedMemory {
    requireText(vmName);
    requireText(compatible);
  }

  private static void requireText(String text) {
    if (text.isEmpty()
        || text.length() > MAX_TEXT
        || text.chars().anyMatch(c -> c == 0 || c > 0x7f)) {
      throw new IllegalArgumentException(
          "vmName and compatible must have 1 to 255 ASCII characters");
    }
  }

  /**
   * Reads the entry. The caller wipes the bytes and closes what it gets.
   *
   * @throws PvmfwException of error CONFIG_INVALID_RESERVED_MEMORY, with a position in the entry
   */
  public static List<ReservedMemory> parse(byte[] entry) {
    if (entry.length < 4) {
      throw fault("the count is cut off", 0);
    }
    ByteBuffer in = ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN);
    long count = Integer.toUnsignedLong(in.getInt(0));
    if (count > MAX_COUNT || 4 + count * HEADER > entry.length) {
      throw fault("%d headers do not fit, or are more than %d".formatted(count, MAX_COUNT), 0);
    }
    int data = 4 + (int) count * HEADER;
    List<ReservedMemory> all = new ArrayList<>();
    try {
      long end = data;
      for (int at = 4; at < data; at += HEADER) {
        long from = data + Integer.toUnsignedLong(in.getInt(at + 4));
        long to = from + Integer.toUnsignedLong(in.getInt(at + 8));
        if (from < end || to > entry.length) {
          throw fault("a blob is out of bounds or out of order", at + 4);
        }
        end = to;
        String name = text(entry, data + Integer.toUnsignedLong(in.getInt(at)), at);
        String compatible = text(entry, data + Integer.toUnsignedLong(in.getInt(at + 12)), at + 12);
        byte[] content = Arrays.copyOfRange(entry, (int) from, (int) to);
        all.add(
            new ReservedMemory(
                name, compatible, SecretBytes.takeOver(content), (in.getInt(at + 16) & 1) != 0));
      }
      return List.copyOf(all);
    } catch (RuntimeException e) {
      all.forEach(ReservedMemory::close);
      throw e;
    }
  }

  /** Those of a VM of this name, in order; they stay with the caller. */
  public static List<ReservedMemory> forVm(List<ReservedMemory> all, String vmName) {
    return all.stream().filter(memory -> memory.vmName.equals(vmName)).toList();
  }

  /** Writes the entry. The caller closes it. */
  public static SecretBytes encode(List<ReservedMemory> all) {
    int headers = 4 + all.size() * HEADER;
    int size = headers;
    for (ReservedMemory memory : all) {
      size += memory.vmName.length() + memory.compatible.length() + 2 + memory.content.length();
    }
    ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(all.size());
    int at = 0;
    for (ReservedMemory memory : all) {
      int compatible = at + memory.vmName.length() + 1;
      int content = compatible + memory.compatible.length() + 1;
      out.putInt(at).putInt(content).putInt(memory.content.length()).putInt(compatible);
      out.putInt(memory.noMap ? 1 : 0);
      at = content + memory.content.length();
    }
    for (ReservedMemory memory : all) {
      out.put(
          (memory.vmName + '\0' + memory.compatible + '\0').getBytes(StandardCharsets.US_ASCII));
      memory.content.use(out::put);
    }
    return SecretBytes.takeOver(out.array());
  }

  // Bounded, so that many headers cannot point at one long text.
  private static String text(byte[] entry, long from, int at) {
    long end = from;
    while (end < entry.length && end - from <= MAX_TEXT && entry[(int) end] != 0) {
      if (entry[(int) end] < 0) {
        throw fault("a text is not ASCII", at);
      }
      end++;
    }
    if (end >= entry.length || end == from || end - from > MAX_TEXT) {
      throw fault("a text is empty, has more than 255 bytes, or does not end", at);
    }
    return new String(entry, (int) from, (int) (end - from), StandardCharsets.US_ASCII);
  }

  private static PvmfwException fault(String reason, int at) {
    return new PvmfwException(
        PvmfwError.CONFIG_INVALID_RESERVED_MEMORY, "reserved memory: " + reason, at);
  }

  /** Wipes the content. */
  @Override
  public void close() {
    content.close();
  }
}
