package io.github.avf4j.attestation.internal;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Finds and makes sections of PEM text (RFC 7468). What stands outside of sections is a comment.
 * Thread-safe.
 */
public final class Pem {
  private static final String BEGIN = "-----BEGIN ";
  private static final String DASHES = "-----";
  private static final int LINE = 64;

  private Pem() {}

  /**
   * A section.
   *
   * @param label such as {@code CERTIFICATE}
   * @param der what was encoded, which the caller wipes if it is secret
   * @param end where the text goes on behind it
   */
  public record Section(String label, byte[] der, int end) {}

  /** Thrown when a section is damaged. */
  public static final class DamagedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int position;

    DamagedException(String reason, int position) {
      super(reason);
      this.position = position;
    }

    /** Where the section begins. */
    public int position() {
      return position;
    }
  }

  /** Whether any section begins in these bytes. */
  public static boolean isIn(byte[] file) {
    return text(file).contains(BEGIN);
  }

  /**
   * Returns the first section from a position on whose label is wanted; others may be damaged.
   *
   * @throws DamagedException if it has no end or is not Base64
   */
  public static Optional<Section> find(byte[] file, int from, Predicate<String> wanted)
      throws DamagedException {
    String text = text(file);
    int begin = from;
    while ((begin = text.indexOf(BEGIN, begin)) >= 0) {
      int start = begin + BEGIN.length();
      int labelEnd = text.indexOf(DASHES, start);
      if (labelEnd < 0) {
        break;
      }
      String label = text.substring(start, labelEnd);
      if (wanted.test(label)) {
        return Optional.of(section(text, label, begin, labelEnd + DASHES.length()));
      }
      begin = start;
    }
    return Optional.empty();
  }

  private static Section section(String text, String label, int begin, int start)
      throws DamagedException {
    String mark = DASHES + "END " + label + DASHES;
    int end = text.indexOf(mark, start);
    if (end < 0) {
      throw new DamagedException("section \"" + label + "\" in PEM has no end", begin);
    }
    try {
      byte[] der = Base64.getDecoder().decode(text.substring(start, end).replaceAll("\\s", ""));
      return new Section(label, der, end + mark.length());
    } catch (IllegalArgumentException e) {
      throw new DamagedException("section \"" + label + "\" in PEM is not Base64", begin);
    }
  }

  /** Makes a section, with lines of 64 characters. */
  public static String encode(String label, byte[] der) {
    String body = Base64.getMimeEncoder(LINE, new byte[] {'\n'}).encodeToString(der);
    return BEGIN + label + DASHES + '\n' + body + '\n' + DASHES + "END " + label + DASHES + '\n';
  }

  private static String text(byte[] file) {
    return new String(file, StandardCharsets.ISO_8859_1);
  }
}
