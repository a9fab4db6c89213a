package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;

/**
 * A descriptor of a kind that libavb 1.3 does not know, and skips.
 *
 * @param tag the number of the kind
 * @param bytes the whole descriptor, head included
 */
public record UnknownDescriptor(long tag, ByteSlice bytes) implements AvbDescriptor {
  @Override
  public byte[] encode() {
    return bytes.toByteArray();
  }
}
