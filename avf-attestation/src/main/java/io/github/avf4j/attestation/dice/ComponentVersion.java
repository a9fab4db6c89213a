package io.github.avf4j.attestation.dice;

/** The version of a component: a number of 64 bits signed, or text. */
public sealed interface ComponentVersion {
  /**
   * A number.
   *
   * @param value the version
   */
  record Number(long value) implements ComponentVersion {
    @Override
    public String toString() {
      return Long.toString(value);
    }
  }

  /**
   * Free text.
   *
   * @param value the version
   */
  record Text(String value) implements ComponentVersion {
    @Override
    public String toString() {
      return value;
    }
  }
}
