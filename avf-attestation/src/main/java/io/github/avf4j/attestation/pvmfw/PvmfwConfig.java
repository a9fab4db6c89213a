package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.SecretBytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The configuration data that a loader puts behind pvmfw: a header and up to five blobs,
 * little-endian.
 *
 * <p>All blobs are treated as secrets, because one of them is. Closing wipes them. Thread-safe.
 */
public final class PvmfwConfig implements AutoCloseable {
  /** The bytes {@code pvmf}. */
  static final int MAGIC = 0x666d7670;

  private static final int FIXED = 16;
  private static final int NEWEST_MINOR = 3;
  private static final int PADDING = 8;

  private final int minor;
  private final int flags;
  private final Map<Entry, SecretBytes> blobs;
  private final List<String> warnings;

  /** The blobs, in the order of the table. */
  public enum Entry {
    /** The DICE handover; mandatory. Since 1.0. */
    DICE_HANDOVER(0),
    /** The debug policy, a device tree overlay. Since 1.0. */
    DEBUG_POLICY(0),
    /** The overlay for device assignment. Since 1.1. */
    VM_DTBO(1),
    /** The VM reference device tree. Since 1.2. */
    VM_REFERENCE_DT(2),
    /** Memory contents for VMs of certain names. Since 1.3. */
    RESERVED_MEMORY(3);

    private final int sinceMinor;

    Entry(int sinceMinor) {
      this.sinceMinor = sinceMinor;
    }

    /** The minor version of the header that has the entry first. */
    public int sinceMinor() {
      return sinceMinor;
    }

    static int count(int minor) {
      int known = Math.min(minor, NEWEST_MINOR);
      return (int) Arrays.stream(values()).filter(entry -> entry.sinceMinor <= known).count();
    }
  }

  private PvmfwConfig(int minor, int flags, Map<Entry, SecretBytes> blobs, List<String> warnings) {
    this.minor = minor;
    this.flags = flags;
    this.blobs = blobs;
    this.warnings = List.copyOf(warnings);
  }

  /** Reads a blob that begins at the first byte; see {@link #parse(byte[], int, PvmfwRevision)}. */
  public static PvmfwConfig parse(byte[] region) {
    return parse(region, 0, PvmfwRevision.MARCH_2025);
  }

  /**
   * Reads a blob. The caller wipes its own bytes and closes the result.
   *
   * @param region memory up to its end; more may follow the blob
   * @param start where the blob begins, which must be a multiple of 4
   * @param revision of January 2025, only four entries of version 1.3 are read
   * @throws PvmfwException of one of the CONFIG errors
   */
  public static PvmfwConfig parse(byte[] region, int start, PvmfwRevision revision) {
    if (start < 0 || start % 4 != 0) {
      throw fault(PvmfwError.CONFIG_HEADER_MISALIGNED, "the blob begins at " + start, 0);
    }
    if (region.length - start < FIXED) {
      throw fault(PvmfwError.CONFIG_BUFFER_TOO_SMALL, "fewer than 16 bytes are left", start);
    }
    ByteBuffer in =
        ByteBuffer.wrap(region, start, region.length - start)
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
    if (in.getInt(0) != MAGIC) {
      throw fault(PvmfwError.CONFIG_INVALID_MAGIC, "the magic \"pvmf\" is missing", start);
    }
    int minor = Short.toUnsignedInt(in.getShort(4));
    int major = Short.toUnsignedInt(in.getShort(6));
    if (major != 1) {
      throw fault(
          PvmfwError.CONFIG_UNSUPPORTED_VERSION,
          "version %d.%d is unknown".formatted(major, minor),
          start + 4);
    }
    return new Parser(in, start, minor, revision).parse();
  }

  private static final class Parser {
    private final ByteBuffer in;
    private final int start;
    private final int minor;
    private final int count;
    private final List<String> warnings = new ArrayList<>();

    Parser(ByteBuffer in, int start, int minor, PvmfwRevision revision) {
      this.in = in;
      this.start = start;
      this.minor = minor;
      int newest = revision == PvmfwRevision.JANUARY_2025 ? NEWEST_MINOR - 1 : NEWEST_MINOR;
      this.count = Entry.count(Math.min(minor, newest));
      if (minor > newest) {
        warnings.add("version 1.%d is read like 1.%d".formatted(minor, newest));
      }
    }

    PvmfwConfig parse() {
      int table = FIXED + 8 * count;
      if (in.limit() < table) {
        throw fault(PvmfwError.CONFIG_BUFFER_TOO_SMALL, "the table is cut off", start + FIXED);
      }
      long total = Integer.toUnsignedLong(in.getInt(8));
      if (total < FIXED || total > in.limit()) {
        throw fault(
            PvmfwError.CONFIG_INVALID_SIZE,
            "the total size is %d but must be in 16..%d".formatted(total, in.limit()),
            start + 8);
      }
      int flags = in.getInt(12);
      if (flags != 0) {
        warnings.add("flags 0x%x are ignored".formatted(flags));
      }
      long[][] ranges = ranges(table, total);
      if (ranges[0][1] == 0) {
        throw fault(PvmfwError.CONFIG_MISSING_ENTRY, "there is no DICE handover", start + FIXED);
      }
      Map<Entry, SecretBytes> blobs = new EnumMap<>(Entry.class);
      for (int i = 0; i < count; i++) {
        if (ranges[i][1] != 0) {
          byte[] blob = new byte[(int) ranges[i][1]];
          in.get((int) ranges[i][0], blob);
          blobs.put(Entry.values()[i], SecretBytes.takeOver(blob));
        }
      }
      return new PvmfwConfig(minor, flags, blobs, warnings);
    }

    private long[][] ranges(int table, long total) {
      long[][] ranges = new long[count][2];
      long previousEnd = table;
      for (int i = 0; i < count; i++) {
        int at = FIXED + 8 * i;
        long offset = Integer.toUnsignedLong(in.getInt(at));
        long size = Integer.toUnsignedLong(in.getInt(at + 4));
        if (size == 0) {
          continue;
        }
        if (offset < table || offset + size > total) {
          throw fault(
              PvmfwError.CONFIG_ENTRY_OUT_OF_BOUNDS,
              "entry %d is at %d..+%d but must be in %d..%d"
                  .formatted(i, offset, size, table, total),
              start + at);
        }
        if (offset < previousEnd) {
          throw fault(
              PvmfwError.CONFIG_ENTRY_OUT_OF_ORDER,
              "entry %d begins at %d, before the end of the one before".formatted(i, offset),
              start + at);
        }
        previousEnd = offset + size;
        ranges[i] = new long[] {offset, size};
      }
      return ranges;
    }
  }

  /** A configuration that holds a handover only; the bytes are copied. */
  public static PvmfwConfig of(byte[] diceHandover) {
    if (diceHandover.length == 0) {
      throw fault(PvmfwError.CONFIG_MISSING_ENTRY, "the DICE handover is empty", -1);
    }
    Map<Entry, SecretBytes> blobs = new EnumMap<>(Entry.class);
    blobs.put(Entry.DICE_HANDOVER, SecretBytes.copyOf(diceHandover));
    return new PvmfwConfig(0, 0, blobs, List.of());
  }

  /** The same with a blob more, and the version that it needs; this one stays open. */
  public PvmfwConfig with(Entry entry, byte[] blob) {
    return copy(entry, blob, Math.max(minor, entry.sinceMinor()));
  }

  /** The same with a minor version of 0..3 that has all blobs that are present. */
  public PvmfwConfig withMinor(int version) {
    for (Entry entry : blobs.keySet()) {
      if (version < entry.sinceMinor() || version > NEWEST_MINOR) {
        throw new IllegalArgumentException(
            "minor version must be in %d..3 for %s but was %d"
                .formatted(entry.sinceMinor(), entry, version));
      }
    }
    return copy(null, new byte[0], version);
  }

  private PvmfwConfig copy(@Nullable Entry entry, byte[] blob, int version) {
    Map<Entry, SecretBytes> copies = new EnumMap<>(Entry.class);
    blobs.forEach((key, value) -> copies.put(key, value.copy()));
    if (entry != null) {
      copies.put(entry, SecretBytes.copyOf(blob));
    }
    return new PvmfwConfig(version, flags, copies, List.of());
  }

  /** The minor version of the header. */
  public int minor() {
    return minor;
  }

  /** The flags, of which none is defined. */
  public int flags() {
    return flags;
  }

  /** What a parser would complain about without refusing. */
  public List<String> warnings() {
    return warnings;
  }

  /** A blob that is present; it belongs to this configuration. */
  public Optional<SecretBytes> blob(Entry entry) {
    return Optional.ofNullable(blobs.get(entry));
  }

  /** The whole, handover included; blobs at multiples of 8. The caller closes it. */
  public SecretBytes encode() {
    int count = Entry.count(minor);
    int table = FIXED + 8 * count;
    int[] offsets = new int[count];
    int end = table;
    for (int i = 0; i < count; i++) {
      SecretBytes blob = blobs.get(Entry.values()[i]);
      if (blob != null) {
        offsets[i] = (end + PADDING - 1) / PADDING * PADDING;
        end = Math.addExact(offsets[i], blob.length());
      }
    }
    ByteBuffer out = ByteBuffer.allocate(end).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(MAGIC).putShort((short) minor).putShort((short) 1).putInt(end).putInt(flags);
    for (int i = 0; i < count; i++) {
      SecretBytes blob = blobs.get(Entry.values()[i]);
      out.putInt(offsets[i]).putInt(blob == null ? 0 : blob.length());
      if (blob != null) {
        int at = offsets[i];
        blob.use(bytes -> out.put(at, bytes));
      }
    }
    return SecretBytes.takeOver(out.array());
  }

  /** Wipes all blobs. */
  @Override
  public void close() {
    blobs.values().forEach(SecretBytes::close);
  }

  /** Version and names of the blobs, never their content. */
  @Override
  public String toString() {
    return "PvmfwConfig[1." + minor + ", " + blobs.keySet() + "]";
  }

  private static PvmfwException fault(PvmfwError error, String reason, int position) {
    return new PvmfwException(error, "pvmfw configuration: " + reason, position);
  }
}
