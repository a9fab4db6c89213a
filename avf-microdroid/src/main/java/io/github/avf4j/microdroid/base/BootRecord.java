package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.pvmfw.PvmfwError;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.attestation.pvmfw.VerifiedPayload;
import io.github.avf4j.microdroid.image.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The signer and the highest rollback index of the base images that an instance has booted, in a
 * file of its folder.
 *
 * <p>Another signer changes all secrets of an instance. Where the instance image is in use, the
 * firmware's own record refuses that; guests that protect themselves have only this one, and so
 * nobody gets an empty identity without being told. As with AVB, an index never goes down.
 *
 * <p>Confined to one boot at a time.
 *
 * @param file the record, which need not exist yet
 */
public record BootRecord(Path file) {
  /** The name of the file. */
  public static final String FILE_NAME = "base_image";

  private static final Pattern TEXT =
      Pattern.compile(
          "avf4j base image 1\nkey (?<key>[0-9a-f]{128})\nrollback_index (?<index>[0-9]{1,20})\n");
  private static final int MAX_SIZE = 256;

  /**
   * Lets the instance boot this image, and remembers it.
   *
   * @param image what the firmware has verified
   * @throws PvmfwException of error INSTANCE_RECORDED_AUTH_HASH_MISMATCH if another key signed it
   *     than those before, AVB_ROLLBACK_INDEX if it is older than they were,
   *     INSTANCE_INVALID_RECORD if the record is damaged
   * @throws IOException if it cannot be read or written
   */
  public void accept(VerifiedPayload image) throws IOException {
    String key = image.publicKey().sha512().toHex();
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      Matcher known = read();
      if (!known.group("key").equals(key)) {
        throw new PvmfwException(
            PvmfwError.INSTANCE_RECORDED_AUTH_HASH_MISMATCH,
            "the instance ran with base images of another key");
      }
      long index = index(known.group("index"));
      int order = Long.compareUnsigned(image.rollbackIndex(), index);
      if (order < 0) {
        throw new PvmfwException(
            PvmfwError.AVB_ROLLBACK_INDEX,
            "the base image has rollback index %s but the instance ran with %s: build it with that"
                    .formatted(
                        Long.toUnsignedString(image.rollbackIndex()), Long.toUnsignedString(index))
                + " one or a higher one");
      }
      if (order == 0) {
        return;
      }
    }
    String text =
        "avf4j base image 1\nkey %s\nrollback_index %s\n"
            .formatted(key, Long.toUnsignedString(image.rollbackIndex()));
    AtomicFile.write(file, text.getBytes(StandardCharsets.US_ASCII));
  }

  private Matcher read() throws IOException {
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      Matcher text = TEXT.matcher(new String(in.readNBytes(MAX_SIZE), StandardCharsets.ISO_8859_1));
      if (!text.matches()) {
        throw damaged();
      }
      return text;
    }
  }

  private long index(String digits) {
    try {
      return Long.parseUnsignedLong(digits);
    } catch (NumberFormatException e) {
      throw damaged();
    }
  }

  private PvmfwException damaged() {
    return new PvmfwException(PvmfwError.INSTANCE_INVALID_RECORD, file + " is damaged");
  }
}
