package io.github.avf4j.attestation;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.function.Function;

/**
 * Secret bytes that never print and can be wiped.
 *
 * <p>The bytes are visible only inside {@link #use}, or as a copy that the caller then wipes. The
 * Java runtime may have moved the array before it was wiped, so wiping narrows the time a secret
 * stays in memory and is no guarantee. Comparison takes a time that depends on the lengths alone.
 * Use after {@link #close} throws {@link IllegalStateException}. Thread-safe, except that closing
 * while another thread uses the bytes may hand it zeros.
 */
public final class SecretBytes implements AutoCloseable {
  private final byte[] bytes;
  private volatile boolean closed;

  private SecretBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Copies the bytes; the caller wipes its own. */
  public static SecretBytes copyOf(byte[] bytes) {
    return new SecretBytes(bytes.clone());
  }

  /** Takes over the array, which nobody else may touch from now on. */
  public static SecretBytes takeOver(byte[] bytes) {
    return new SecretBytes(bytes);
  }

  /** The number of bytes. */
  public int length() {
    return bytes.length;
  }

  /** Calls {@code body} with the bytes themselves, which it neither changes nor keeps. */
  public <T> T use(Function<byte[], T> body) {
    requireOpen();
    return body.apply(bytes);
  }

  /** A copy of the bytes, which the caller wipes. */
  public byte[] toByteArray() {
    requireOpen();
    return bytes.clone();
  }

  /** A second holder of the same bytes, closed on its own. */
  public SecretBytes copy() {
    return new SecretBytes(toByteArray());
  }

  /** Whether the bytes have been wiped. */
  public boolean isClosed() {
    return closed;
  }

  /** Overwrites the bytes with zeros. */
  @Override
  public void close() {
    closed = true;
    Arrays.fill(bytes, (byte) 0);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the secret was wiped: it cannot be used after close()");
    }
  }

  /**
   * Whether both hold the same bytes, in constant time for equal lengths. One that was wiped equals
   * itself alone, so that zeros are never taken for a secret.
   */
  @Override
  public boolean equals(Object other) {
    return this == other
        || other instanceof SecretBytes that
            && !closed
            && !that.closed
            && MessageDigest.isEqual(bytes, that.bytes);
  }

  /** A value that tells nothing but the length. */
  @Override
  public int hashCode() {
    return bytes.length;
  }

  /** The length, never the bytes. */
  @Override
  public String toString() {
    return "SecretBytes[" + bytes.length + " bytes]";
  }
}
