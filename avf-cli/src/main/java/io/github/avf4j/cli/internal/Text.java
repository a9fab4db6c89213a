package io.github.avf4j.cli.internal;

/** Text from files, which must not reach a terminal as it is. */
public final class Text {
  private Text() {}

  /** The text with a mark in the place of whatever a terminal might act on. */
  public static String printable(String text) {
    return text.replaceAll("\\p{C}", "\uFFFD");
  }
}
