package io.github.avf4j.attestation.remote;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Times in certificates (RFC 5280, section 4.1.2.5): to the second, in UTC. */
final class X509Time {
  private X509Time() {}

  static Instant read(DerReader in) {
    boolean shortYear = in.nextIs(DerReader.UTC_TIME);
    DerReader.Element time =
        shortYear ? in.next() : in.next(DerReader.GENERALIZED_TIME, "time of validity");
    String text = new String(time.content().toByteArray(), StandardCharsets.ISO_8859_1);
    if (!text.matches(shortYear ? "[0-9]{12}Z" : "[0-9]{14}Z")) {
      throw new RemoteAttestationException(
          "time of validity must be to the second and in UTC", time.encoded().offset());
    }
    int at = shortYear ? 2 : 4;
    int year = Integer.parseInt(text.substring(0, at));
    if (shortYear) {
      year += year < 50 ? 2000 : 1900;
    }
    try {
      return LocalDateTime.of(
              year,
              number(text, at),
              number(text, at + 2),
              number(text, at + 4),
              number(text, at + 6),
              number(text, at + 8))
          .toInstant(ZoneOffset.UTC);
    } catch (DateTimeException e) {
      throw new RemoteAttestationException(
          "time of validity is not a time", time.encoded().offset(), e);
    }
  }

  /** A validity, in UTCTime before 2050 and in GeneralizedTime from then on. */
  static byte[] validity(Instant from, Instant until) {
    return Der.sequence(encode(from), encode(until));
  }

  private static byte[] encode(Instant time) {
    LocalDateTime utc = LocalDateTime.ofInstant(time, ZoneOffset.UTC);
    boolean shortYear = utc.getYear() >= 1950 && utc.getYear() < 2050;
    String pattern = (shortYear ? "yy" : "yyyy") + "MMddHHmmss'Z'";
    return Der.element(
        shortYear ? DerReader.UTC_TIME : DerReader.GENERALIZED_TIME,
        DateTimeFormatter.ofPattern(pattern, Locale.ROOT)
            .format(utc)
            .getBytes(StandardCharsets.US_ASCII));
  }

  private static int number(String text, int at) {
    return Integer.parseInt(text.substring(at, at + 2));
  }
}
