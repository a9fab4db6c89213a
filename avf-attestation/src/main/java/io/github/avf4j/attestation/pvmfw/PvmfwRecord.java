package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import java.util.Arrays;

/**
 * What pvmfw remembers of an instance: 193 bytes.
 *
 * @param codeHash 64 bytes
 * @param authorityHash 64 bytes
 * @param salt 64 bytes, which were random or the instance hash
 * @param mode as of DICE
 */
public record PvmfwRecord(
    ByteSlice codeHash, ByteSlice authorityHash, ByteSlice salt, DiceMode mode) {
  private static final int PART = 64;
  private static final int SIZE = 3 * PART + 1;

  /** Checks the sizes. */
  public PvmfwRecord {
    if (codeHash.length() != PART || authorityHash.length() != PART || salt.length() != PART) {
      throw new IllegalArgumentException("hashes and salt must have 64 bytes");
    }
  }

  /**
   * Opens the record of an image.
   *
   * @throws PvmfwException of one of the INSTANCE errors
   */
  public static PvmfwRecord read(
      InstanceImage image, InstanceImage.Record record, InstanceCipher cipher) {
    if (record.size() > InstanceImage.BLOCK) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_UNSUPPORTED_ENTRY_SIZE,
          "pvmfw's record has %d bytes but at most 512 are read".formatted(record.size()));
    }
    try (SecretBytes plain = cipher.open(image.payload(record), new byte[0])) {
      return plain.use(PvmfwRecord::decode);
    }
  }

  /** Seals the record and adds it to an image. */
  public void appendTo(InstanceImage image, InstanceCipher cipher) {
    byte[] plain = encode();
    try {
      image.append(InstanceImage.PVMFW, cipher.seal(plain, new byte[0]));
    } finally {
      Arrays.fill(plain, (byte) 0);
    }
  }

  static PvmfwRecord decode(byte[] plain) {
    if (plain.length != SIZE) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_UNSUPPORTED_ENTRY_SIZE,
          "pvmfw's record must hold %d bytes but holds %d".formatted(SIZE, plain.length));
    }
    int mode = plain[3 * PART];
    if (mode < 0 || mode > 3) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_INVALID_RECORD, "mode " + mode + " is unknown", 3L * PART);
    }
    return new PvmfwRecord(part(plain, 0), part(plain, 1), part(plain, 2), DiceMode.ofValue(mode));
  }

  byte[] encode() {
    byte[] plain = new byte[SIZE];
    codeHash.copyTo(plain, 0);
    authorityHash.copyTo(plain, PART);
    salt.copyTo(plain, 2 * PART);
    plain[3 * PART] = mode.value();
    return plain;
  }

  /** Throws unless the guest is the one that is recorded. */
  void requireSame(DiceInput draft) {
    if (!codeHash.equals(draft.codeHash())) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_RECORDED_CODE_HASH_MISMATCH, "the instance ran with other code");
    }
    if (!authorityHash.equals(draft.authorityHash())) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_RECORDED_AUTH_HASH_MISMATCH,
          "the instance ran with another authority");
    }
    if (mode != draft.mode()) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_RECORDED_DICE_MODE_MISMATCH, "the instance ran in another mode");
    }
  }

  private static ByteSlice part(byte[] plain, int index) {
    return ByteSlice.takeOver(Arrays.copyOfRange(plain, index * PART, (index + 1) * PART));
  }

  /** The hashes and the mode, never the salt. */
  @Override
  public String toString() {
    return "PvmfwRecord[code " + codeHash + ", authority " + authorityHash + ", " + mode + "]";
  }
}
