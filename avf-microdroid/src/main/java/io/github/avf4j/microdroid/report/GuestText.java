package io.github.avf4j.microdroid.report;

import java.util.regex.Pattern;

/** What a guest says, made fit for a log, a terminal or a message. Thread-safe. */
public final class GuestText {
  // Not only ASCII's: U+009B begins a terminal sequence, and U+202E turns a line around.
  private static final Pattern UNSEEN = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");

  private GuestText() {}

  /** Returns {@code text} with a space for each control, format and line-separating character. */
  public static String oneLine(String text) {
    return UNSEEN.matcher(text).replaceAll(" ");
  }
}
