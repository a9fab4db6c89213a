package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import org.jspecify.annotations.Nullable;

/** A tagged item: major type 6. Nothing in DICE is tagged. Immutable and thread-safe. */
public final class CborTag extends CborValue {
  private final long tag;
  private final CborValue content;

  CborTag(long tag, CborValue content, @Nullable ByteSlice encoded) {
    super(encoded);
    this.tag = tag;
    this.content = content;
  }

  /** A tagged item; the tag number is unsigned. */
  public static CborTag of(long tag, CborValue content) {
    return new CborTag(tag, content, null);
  }

  /** The tag number, unsigned. */
  public long tag() {
    return tag;
  }

  /** What is tagged. */
  public CborValue content() {
    return content;
  }

  @Override
  public String kind() {
    return "tag " + Long.toUnsignedString(tag);
  }

  @Override
  void writeTo(CborWriter writer) {
    writer.tag(tag).value(content);
  }
}
