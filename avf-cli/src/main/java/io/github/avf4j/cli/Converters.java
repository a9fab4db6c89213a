package io.github.avf4j.cli;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.DataSize;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.DiskImage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the values of options. */
final class Converters {
  private static final Pattern TIME = Pattern.compile("(\\d{1,9})(ms|s|m|h)?");

  private Converters() {}

  /** Reads {@code 256M}. */
  static final class Size implements ITypeConverter<DataSize> {
    @Override
    public DataSize convert(String text) {
      try {
        return DataSize.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }

  /** Reads {@code FILE}, {@code FILE:ro} or {@code FILE:rw}. */
  static final class Disk implements ITypeConverter<DiskImage> {
    @Override
    public DiskImage convert(String text) {
      if (text.endsWith(":ro")) {
        return DiskImage.readOnly(file(text));
      }
      return DiskImage.readWrite(text.endsWith(":rw") ? file(text) : Path.of(text));
    }

    private static Path file(String text) {
      return Path.of(text.substring(0, text.length() - ":ro".length()));
    }
  }

  /** Reads {@code NAME=FILE}. */
  static final class Apex implements ITypeConverter<ApkPayload.Apex> {
    @Override
    public ApkPayload.Apex convert(String text) {
      int equals = text.indexOf('=');
      if (equals <= 0 || equals == text.length() - 1) {
        throw new TypeConversionException("an APEX is NAME=FILE, but was \"" + text + '"');
      }
      try {
        return new ApkPayload.Apex(
            text.substring(0, equals), Path.of(text.substring(equals + 1)).toAbsolutePath());
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }

  /** Reads {@code none} or {@code full}. */
  static final class Debug implements ITypeConverter<DebugLevel> {
    @Override
    public DebugLevel convert(String text) {
      return switch (text) {
        case "none" -> DebugLevel.NONE;
        case "full" -> DebugLevel.FULL;
        default ->
            throw new TypeConversionException(
                "a debug level is none or full, but was \"" + text + '"');
      };
    }
  }

  /** Reads {@code 60s}; a bare number is seconds. */
  static final class Time implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      Matcher matcher = TIME.matcher(text);
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "a time is a number with ms, s, m or h, such as 60s, but was \"" + text + '"');
      }
      long number = Long.parseLong(matcher.group(1));
      String unit = matcher.group(2) == null ? "s" : matcher.group(2);
      return switch (unit) {
        case "ms" -> Duration.ofMillis(number);
        case "m" -> Duration.ofMinutes(number);
        case "h" -> Duration.ofHours(number);
        default -> Duration.ofSeconds(number);
      };
    }
  }
}
