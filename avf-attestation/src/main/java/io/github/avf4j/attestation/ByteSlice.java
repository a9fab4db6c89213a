package io.github.avf4j.attestation;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;

/**
 * A range of bytes that nobody can change, which knows where in its document it stands.
 *
 * <p>Slices of slices share one array, so that a parsed tree costs no copies and the exact bytes of
 * a signed part stay at hand. Not for secrets: it prints and cannot be wiped; see {@link
 * SecretBytes}. Immutable and thread-safe.
 */
public final class ByteSlice {
  /** No bytes, at offset 0. */
  public static final ByteSlice EMPTY = new ByteSlice(new byte[0], 0, 0);

  private final byte[] document;
  private final int offset;
  private final int length;

  private ByteSlice(byte[] document, int offset, int length) {
    this.document = document;
    this.offset = offset;
    this.length = length;
  }

  /** Copies the bytes, which makes them a document of their own. */
  public static ByteSlice copyOf(byte[] bytes) {
    return bytes.length == 0 ? EMPTY : new ByteSlice(bytes.clone(), 0, bytes.length);
  }

  /** Takes over the array, which nobody may write to from now on. */
  public static ByteSlice takeOver(byte[] bytes) {
    return new ByteSlice(bytes, 0, bytes.length);
  }

  /** Reads hexadecimal digits, without separators. */
  public static ByteSlice ofHex(String hex) {
    return takeOver(HexFormat.of().parseHex(hex));
  }

  /** The number of bytes. */
  public int length() {
    return length;
  }

  /** Whether there are no bytes. */
  public boolean isEmpty() {
    return length == 0;
  }

  /** Where the first byte stands in the document that this is a part of. */
  public int offset() {
    return offset;
  }

  /** The byte at an index, 0..255. */
  public int at(int index) {
    return document[offset + Objects.checkIndex(index, length)] & 0xff;
  }

  /** The bytes from {@code from} to the end. */
  public ByteSlice slice(int from) {
    return slice(from, length);
  }

  /** The bytes from {@code from} to before {@code to}. */
  public ByteSlice slice(int from, int to) {
    Objects.checkFromToIndex(from, to, length);
    return new ByteSlice(document, offset + from, to - from);
  }

  /** A copy of the bytes. */
  public byte[] toByteArray() {
    return Arrays.copyOfRange(document, offset, offset + length);
  }

  /** Copies the bytes into an array, from index {@code at}. */
  public void copyTo(byte[] target, int at) {
    System.arraycopy(document, offset, target, at, length);
  }

  /** A read-only view of the bytes. */
  public ByteBuffer asByteBuffer() {
    return ByteBuffer.wrap(document, offset, length).slice().asReadOnlyBuffer();
  }

  /** Whether the bytes are these; not in constant time. */
  public boolean contentEquals(byte[] other) {
    return Arrays.equals(document, offset, offset + length, other, 0, other.length);
  }

  /** Whether all bytes are zero; true for an empty slice. */
  public boolean isAllZero() {
    for (int i = 0; i < length; i++) {
      if (document[offset + i] != 0) {
        return false;
      }
    }
    return true;
  }

  /** Compares as sequences of unsigned bytes, a prefix first. */
  public int compareTo(ByteSlice other) {
    return Arrays.compareUnsigned(
        document,
        offset,
        offset + length,
        other.document,
        other.offset,
        other.offset + other.length);
  }

  /** The bytes in lower-case hexadecimal digits. */
  public String toHex() {
    return HexFormat.of().formatHex(document, offset, offset + length);
  }

  /** Whether the bytes are the same, wherever they stand; not in constant time. */
  @Override
  public boolean equals(Object other) {
    return other instanceof ByteSlice that
        && Arrays.equals(
            document,
            offset,
            offset + length,
            that.document,
            that.offset,
            that.offset + that.length);
  }

  @Override
  public int hashCode() {
    int hash = 1;
    for (int i = offset; i < offset + length; i++) {
      hash = 31 * hash + document[i];
    }
    return hash;
  }

  /** The bytes in hexadecimal digits, shortened beyond 32 bytes. */
  @Override
  public String toString() {
    return length <= 32 ? toHex() : slice(0, 32).toHex() + "... (" + length + " bytes)";
  }
}
