package io.github.avf4j.attestation.dice;

/**
 * Something that is accepted but that a person should know of.
 *
 * @param rule the rule that is excused
 * @param certificate the index of the certificate, from 0
 * @param message what was found
 */
public record DiceWarning(DiceRule rule, int certificate, String message) {
  @Override
  public String toString() {
    return "certificate " + certificate + ": " + message;
  }
}
