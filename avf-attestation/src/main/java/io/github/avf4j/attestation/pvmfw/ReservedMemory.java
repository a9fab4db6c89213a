package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory content for a VM of a certain name: the last entry of the configuration data.
 *
 * <p><em>Unconfirmed</em>: little-endian without alignment.
 *
 * @param vmName the name of the VM that gets it
 * @param compatible what its node in the guest's device tree says
 * @param content the bytes
 * @param noMap whether the guest's kernel must not map it
 */
public record ReservedMemory(String vmName, String compatible, ByteSlice content, boolean noMap) {
  private static final int HEADER = 20;
  private static final int MAX_COUNT = 256;

  /**
   * Reads the entry.
   *
   * @throws PvmfwException of error CONFIG_INVALID_RESERVED_MEMORY
   */
  public static List<ReservedMemory> parse(ByteSlice entry) {
    if (entry.length() < 4) {
      throw fault("the count is cut off", entry, 0);
    }
    ByteBuffer in = entry.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    long count = Integer.toUnsignedLong(in.getInt(0));
    if (count > MAX_COUNT || 4 + count * HEADER > entry.length()) {
      throw fault("%d headers do not fit".formatted(count), entry, 0);
    }
    ByteSlice data = entry.slice(4 + (int) count * HEADER);
    List<ReservedMemory> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = 4 + i * HEADER;
      long from = Integer.toUnsignedLong(in.getInt(at + 4));
      long size = Integer.toUnsignedLong(in.getInt(at + 8));
      if (from + size > data.length()) {
        throw fault("blob %d is out of bounds".formatted(i), entry, at + 4);
      }
      all.add(
          new ReservedMemory(
              text(data, in.getInt(at), entry, at),
              text(data, in.getInt(at + 12), entry, at + 12),
              data.slice((int) from, (int) (from + size)),
              (in.getInt(at + 16) & 1) != 0));
    }
    return List.copyOf(all);
  }

  /** Writes the entry. */
  public static ByteSlice encode(List<ReservedMemory> all) {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    ByteBuffer head = ByteBuffer.allocate(4 + all.size() * HEADER).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(all.size());
    for (ReservedMemory memory : all) {
      int name = append(data, (memory.vmName + "\0").getBytes(StandardCharsets.UTF_8));
      int compatible = append(data, (memory.compatible + "\0").getBytes(StandardCharsets.UTF_8));
      int content = append(data, memory.content.toByteArray());
      head.putInt(name).putInt(content).putInt(memory.content.length()).putInt(compatible);
      head.putInt(memory.noMap ? 1 : 0);
    }
    byte[] tail = data.toByteArray();
    ByteBuffer whole = ByteBuffer.allocate(head.capacity() + tail.length);
    whole.put(head.array()).put(tail);
    return ByteSlice.takeOver(whole.array());
  }

  private static int append(ByteArrayOutputStream data, byte[] bytes) {
    int at = data.size();
    data.write(bytes, 0, bytes.length);
    return at;
  }

  private static String text(ByteSlice data, int offset, ByteSlice entry, int at) {
    long from = Integer.toUnsignedLong(offset);
    long end = from;
    while (end < data.length() && data.at((int) end) != 0) {
      end++;
    }
    if (end >= data.length()) {
      throw fault("a text does not end", entry, at);
    }
    byte[] bytes = data.slice((int) from, (int) end).toByteArray();
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static PvmfwException fault(String reason, ByteSlice entry, int at) {
    return new PvmfwException(
        PvmfwError.CONFIG_INVALID_RESERVED_MEMORY,
        "reserved memory: " + reason,
        entry.offset() + (long) at);
  }
}
