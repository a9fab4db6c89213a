package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Reads CBOR items in deterministic form; see the package for what is refused.
 *
 * <p>Positions in values and exceptions count from the start of the outermost document: what is
 * decoded out of a byte string of another item says where it stands in that item's document.
 *
 * <p>One reader reads a sequence of items; for one item alone there is {@link #decode(byte[])}.
 * Confined to one thread; the values it gives are immutable.
 */
public final class CborReader {
  private static final int INDEFINITE = 31;

  private final ByteSlice input;
  private final CborLimits limits;
  private int at;
  private int itemsLeft;
  private int promised;

  /**
   * Makes a reader at the start of the input.
   *
   * @throws CborException if the input is longer than the limits allow
   */
  public CborReader(ByteSlice input, CborLimits limits) {
    if (input.length() > limits.maxBytes()) {
      throw new CborException(
          "input must have at most " + limits.maxBytes() + " bytes but has " + input.length(),
          input.offset());
    }
    this.input = input;
    this.limits = limits;
    this.itemsLeft = limits.maxItems();
  }

  /** Decodes bytes that are exactly one item, within {@link CborLimits#DEFAULT}. */
  public static CborValue decode(byte[] bytes) {
    return decode(ByteSlice.copyOf(bytes), CborLimits.DEFAULT);
  }

  /** Decodes bytes that are exactly one item, within {@link CborLimits#DEFAULT}. */
  public static CborValue decode(ByteSlice bytes) {
    return decode(bytes, CborLimits.DEFAULT);
  }

  /** Decodes bytes that are exactly one item. */
  public static CborValue decode(ByteSlice bytes, CborLimits limits) {
    CborReader reader = new CborReader(bytes, limits);
    CborValue value = reader.read();
    if (!reader.atEnd()) {
      throw reader.fault(
          (bytes.length() - reader.at) + " bytes follow the end of the item", reader.at);
    }
    return value;
  }

  /** Whether all bytes have been read. */
  public boolean atEnd() {
    return at == input.length();
  }

  /** The bytes not yet read. */
  public ByteSlice rest() {
    return input.slice(at);
  }

  /** Reads the next item of the sequence. */
  public CborValue read() {
    promised = 0;
    return item(0);
  }

  private CborValue item(int depth) {
    int start = at;
    if (itemsLeft-- <= 0) {
      throw fault("more than " + limits.maxItems() + " items", start);
    }
    int initial = next("an item", start);
    int major = initial >> 5;
    int info = initial & 0x1f;
    if (major == 7) {
      return simpleOrFloat(info, start);
    }
    long argument = argument(info, start);
    return switch (major) {
      case 0 -> new CborInteger(false, argument, since(start));
      case 1 -> new CborInteger(true, argument, since(start));
      case 2 -> new CborBytes(string(argument, start), since(start));
      case 3 -> new CborText(text(string(argument, start)), since(start));
      case 4 -> array(argument, depth, start);
      case 5 -> map(argument, depth, start);
      default -> {
        checkDepth(depth, start);
        CborValue content = item(depth + 1);
        yield new CborTag(argument, content, since(start));
      }
    };
  }

  private CborValue promisedItem(int depth) {
    promised--;
    return item(depth);
  }

  private CborArray array(long count, int depth, int start) {
    checkCount(count, 1, start);
    checkDepth(depth, start);
    List<CborValue> items = new ArrayList<>((int) count);
    for (long i = 0; i < count; i++) {
      items.add(promisedItem(depth + 1));
    }
    return new CborArray(Collections.unmodifiableList(items), since(start));
  }

  private CborMap map(long count, int depth, int start) {
    checkCount(count, 2, start);
    checkDepth(depth, start);
    List<CborMap.Entry> entries = new ArrayList<>((int) count);
    for (long i = 0; i < count; i++) {
      CborValue key = promisedItem(depth + 1);
      entries.add(new CborMap.Entry(key, promisedItem(depth + 1)));
    }
    DuplicateKeys.refuse(entries, limits.keyOrder());
    return new CborMap(Collections.unmodifiableList(entries), since(start));
  }

  private CborValue simpleOrFloat(int info, int start) {
    switch (info) {
      case 24 -> {
        int value = next("a simple value", start);
        if (value < 32) {
          throw fault("simple value " + value + " in two bytes", start);
        }
        return new CborSimple(value, since(start));
      }
      case 25 -> {
        int bits = (int) bigEndian(2, start);
        double value = HalfFloat.toDouble(bits);
        if (Double.isNaN(value) && bits != HalfFloat.NAN) {
          throw fault("NaN is not in its only form, f97e00", start);
        }
        return new CborFloat(value, since(start));
      }
      case 26 -> {
        float value = Float.intBitsToFloat((int) bigEndian(4, start));
        if (HalfFloat.exactBits(value) != HalfFloat.INEXACT) {
          throw fault("floating point number is not in its shortest form", start);
        }
        return new CborFloat(value, since(start));
      }
      case 27 -> {
        double value = Double.longBitsToDouble(bigEndian(8, start));
        if (Double.isNaN(value) || (float) value == value) {
          throw fault("floating point number is not in its shortest form", start);
        }
        return new CborFloat(value, since(start));
      }
      case INDEFINITE -> throw fault("break outside an indefinite length", start);
      default -> {
        if (info > 27) {
          throw fault("reserved head " + info, start);
        }
        return new CborSimple(info, since(start));
      }
    }
  }

  private long argument(int info, int start) {
    if (info < 24) {
      return info;
    }
    if (info > 27) {
      throw fault(info == INDEFINITE ? "indefinite length" : "reserved head " + info, start);
    }
    int log = info - 24;
    long value = bigEndian(1 << log, start);
    long least = log == 0 ? 24 : 1L << (4 << log);
    if (Long.compareUnsigned(value, least) < 0) {
      throw fault("head is longer than needed for " + value, start);
    }
    return value;
  }

  private ByteSlice string(long length, int start) {
    int left = input.length() - at;
    if (length < 0 || length > left) {
      throw fault(
          "string of " + Long.toUnsignedString(length) + " bytes but only " + left + " are left",
          start);
    }
    ByteSlice bytes = input.slice(at, at + (int) length);
    at += (int) length;
    return bytes;
  }

  private String text(ByteSlice utf8) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(utf8.asByteBuffer())
          .toString();
    } catch (CharacterCodingException e) {
      throw new CborException("text string is not UTF-8", utf8.offset());
    }
  }

  /**
   * Each item has at least one byte, so that a lying count fails before anything is allocated. What
   * outer items have announced and not yet shown counts too: nested lies do not add up.
   */
  private void checkCount(long count, int itemsPer, int start) {
    int left = Math.min(input.length() - at, itemsLeft) - promised;
    if (count < 0 || count > Math.max(left, 0) / itemsPer) {
      throw fault(
          Long.toUnsignedString(count)
              + (itemsPer == 1 ? " items" : " entries")
              + " announced but only "
              + (input.length() - at)
              + " bytes are left and "
              + itemsLeft
              + " items allowed"
              + (promised == 0 ? "" : ", " + promised + " of them announced before"),
          start);
    }
    promised += (int) count * itemsPer;
  }

  private void checkDepth(int depth, int start) {
    if (depth >= limits.maxDepth()) {
      throw fault("nested deeper than " + limits.maxDepth(), start);
    }
  }

  private int next(String what, int start) {
    if (at >= input.length()) {
      throw fault("input ends where " + what + " should be", start);
    }
    return input.at(at++);
  }

  private long bigEndian(int bytes, int start) {
    if (input.length() - at < bytes) {
      throw fault("input ends inside a head", start);
    }
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value = value << 8 | input.at(at++);
    }
    return value;
  }

  private ByteSlice since(int start) {
    return input.slice(start, at);
  }

  private CborException fault(String reason, int start) {
    return new CborException(reason, (long) input.offset() + start);
  }
}
