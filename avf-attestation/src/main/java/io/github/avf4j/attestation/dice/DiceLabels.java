package io.github.avf4j.attestation.dice;

/** The labels of a DICE certificate (Open Profile for DICE, CBOR certificates). */
final class DiceLabels {
  static final int ISSUER = 1;
  static final int SUBJECT = 2;
  static final int CODE_HASH = -4670545;
  static final int CODE_DESCRIPTOR = -4670546;
  static final int CONFIG_HASH = -4670547;
  static final int CONFIG_DESCRIPTOR = -4670548;
  static final int AUTHORITY_HASH = -4670549;
  static final int AUTHORITY_DESCRIPTOR = -4670550;
  static final int MODE = -4670551;
  static final int SUBJECT_PUBLIC_KEY = -4670552;
  static final int KEY_USAGE = -4670553;
  static final int PROFILE_NAME = -4670554;

  private DiceLabels() {}

  static boolean isKnown(long label) {
    return label == ISSUER || label == SUBJECT || label >= PROFILE_NAME && label <= CODE_HASH;
  }
}
