package io.github.avf4j.microdroid.apk;

/**
 * What became of one signature scheme.
 *
 * @param scheme the scheme
 * @param state whether it verifies
 * @param detail why not, or who signed
 */
public record SchemeResult(SignatureScheme scheme, State state, String detail) {
  /** Whether a scheme verifies. */
  public enum State {
    /** It was checked and verifies. */
    VERIFIES,
    /** It was checked and does not verify. */
    FAILS,
    /** It is there and was not checked: nothing depends on it. */
    NOT_CHECKED
  }

  @Override
  public String toString() {
    String text =
        switch (state) {
          case VERIFIES -> "verifies";
          case FAILS -> "does not verify";
          case NOT_CHECKED -> "not checked";
        };
    return scheme + ": " + text + (detail.isEmpty() ? "" : ": " + detail);
  }
}
