package io.github.avf4j.cli.internal;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.dice.RkpInstance;
import io.github.avf4j.attestation.pvmfw.PvmfwRevision;
import java.math.BigInteger;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.HexFormat;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the values of options. */
public final class ValueConverters {
  private ValueConverters() {}

  /** Reads hexadecimal digits. */
  public static final class Hex implements ITypeConverter<ByteSlice> {
    @Override
    public ByteSlice convert(String text) {
      try {
        return ByteSlice.ofHex(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(
            "bytes are an even number of hexadecimal digits, but was \"" + text + '"');
      }
    }
  }

  /** Reads hexadecimal digits that must not be repeated in a message. */
  public static final class SecretHex implements ITypeConverter<SecretBytes> {
    @Override
    public SecretBytes convert(String text) {
      try {
        return SecretBytes.takeOver(HexFormat.of().parseHex(text));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException("bytes are an even number of hexadecimal digits");
      }
    }
  }

  /** Reads a number of 64 bits without sign, in decimal or after {@code 0x} in hexadecimal. */
  public static final class Unsigned implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      try {
        return text.startsWith("0x") || text.startsWith("0X")
            ? Long.parseUnsignedLong(text.substring(2), 16)
            : Long.parseUnsignedLong(text);
      } catch (NumberFormatException e) {
        throw new TypeConversionException(
            "a number is 0 to "
                + BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE)
                + ", but was \""
                + text
                + '"');
      }
    }
  }

  /** Reads a number of 0 to 2147483647, in decimal or after {@code 0x} in hexadecimal. */
  public static final class Whole implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      try {
        boolean hexadecimal = text.startsWith("0x") || text.startsWith("0X");
        int number = hexadecimal ? Integer.parseInt(text.substring(2), 16) : Integer.parseInt(text);
        if (number < 0) {
          throw new NumberFormatException();
        }
        return number;
      } catch (NumberFormatException e) {
        throw new TypeConversionException(
            "a number is 0 to " + Integer.MAX_VALUE + ", but was \"" + text + '"');
      }
    }
  }

  /** Reads the state of the firmware whose rules hold. */
  public static final class Revision implements ITypeConverter<PvmfwRevision> {
    @Override
    public PvmfwRevision convert(String text) {
      return switch (text) {
        case "2025-01" -> PvmfwRevision.JANUARY_2025;
        case "2025-03" -> PvmfwRevision.MARCH_2025;
        case "2026" -> PvmfwRevision.HEAD_2026;
        default ->
            throw new TypeConversionException(
                "a revision is 2025-01, 2025-03 or 2026, but was \"" + text + '"');
      };
    }
  }

  /** Reads {@code 2026-11-22T10:00:00Z} and the same with an offset. */
  public static final class Time implements ITypeConverter<Instant> {
    @Override
    public Instant convert(String text) {
      try {
        return OffsetDateTime.parse(text).toInstant();
      } catch (DateTimeParseException e) {
        throw new TypeConversionException(
            "a time is like 2026-11-22T10:00:00Z, but was \"" + text + '"');
      }
    }
  }

  /** Reads the name of an instance. */
  public static final class Instance implements ITypeConverter<RkpInstance> {
    @Override
    public RkpInstance convert(String text) {
      return RkpInstance.ofName(text)
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "an instance is default, strongbox, avf or widevine, but was \""
                          + text
                          + '"'));
    }
  }

  /**
   * An owner of files.
   *
   * @param uid the user
   * @param gid the group
   */
  public record Owner(int uid, int gid) {
    /** Who owns files unless told otherwise. */
    public static final Owner ROOT = new Owner(0, 0);
  }

  /** Reads {@code 0:2000}. */
  public static final class OwnerOfFiles implements ITypeConverter<Owner> {
    @Override
    public Owner convert(String text) {
      String[] parts = text.split(":", -1);
      try {
        if (parts.length == 2) {
          return new Owner(Integer.parseUnsignedInt(parts[0]), Integer.parseUnsignedInt(parts[1]));
        }
      } catch (NumberFormatException e) {
        // The message below is the one that helps.
      }
      throw new TypeConversionException(
          "an owner is UID:GID, such as 0:2000, but was \"" + text + '"');
    }
  }
}
