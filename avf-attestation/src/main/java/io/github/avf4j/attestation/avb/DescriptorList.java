package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The descriptors of an image, as far as they could be read.
 *
 * @param descriptors in the order of the image
 * @param fault why reading ended before the end of the list, if it did
 */
public record DescriptorList(List<AvbDescriptor> descriptors, Optional<AvbException> fault) {
  /** Copies the list. */
  public DescriptorList {
    descriptors = List.copyOf(descriptors);
  }

  /** Reads descriptors until the bytes end or something is wrong. */
  public static DescriptorList read(ByteSlice bytes) {
    List<AvbDescriptor> found = new ArrayList<>();
    int at = 0;
    try {
      while (at < bytes.length()) {
        ByteSlice one = take(bytes, at);
        found.add(parse(one));
        at += one.length();
      }
      return new DescriptorList(found, Optional.empty());
    } catch (AvbException e) {
      return new DescriptorList(found, Optional.of(e));
    }
  }

  /**
   * Reads exactly one descriptor.
   *
   * @throws AvbException if it is damaged or bytes follow
   */
  public static AvbDescriptor readOne(ByteSlice bytes) {
    ByteSlice one = take(bytes, 0);
    if (one.length() != bytes.length()) {
      throw new AvbException(
          Kind.DESCRIPTOR_SIZE,
          "bytes follow the end of the descriptor",
          bytes.offset() + (long) one.length());
    }
    return parse(one);
  }

  /** All descriptors; throws the fault if there is one. */
  public List<AvbDescriptor> requireComplete() {
    if (fault.isPresent()) {
      AvbException why = fault.get();
      throw new AvbException(why.kind(), why.reason(), why.position().orElse(-1));
    }
    return descriptors;
  }

  private static ByteSlice take(ByteSlice bytes, int at) {
    int left = bytes.length() - at;
    if (left < DescriptorReader.HEAD) {
      throw new AvbException(
          Kind.DESCRIPTOR_HEADER,
          "the head of a descriptor has 16 bytes but " + left + " are left",
          bytes.offset() + (long) at);
    }
    long following = bytes.slice(at).asByteBuffer().getLong(8);
    if (following < 0 || following % 8 != 0 || following > left - DescriptorReader.HEAD) {
      throw new AvbException(
          Kind.DESCRIPTOR_HEADER,
          "a descriptor announces %s bytes, which must be a multiple of 8 and at most %d"
              .formatted(Long.toUnsignedString(following), left - DescriptorReader.HEAD),
          bytes.offset() + at + 8L);
    }
    return bytes.slice(at, at + DescriptorReader.HEAD + (int) following);
  }

  private static AvbDescriptor parse(ByteSlice one) {
    ByteBuffer head = one.asByteBuffer();
    long tag = head.getLong(0);
    if (tag == PropertyDescriptor.TAG) {
      return PropertyDescriptor.read(one);
    }
    if (tag == HashtreeDescriptor.TAG) {
      return HashtreeDescriptor.read(one);
    }
    if (tag == HashDescriptor.TAG) {
      return HashDescriptor.read(one);
    }
    if (tag == KernelCommandLineDescriptor.TAG) {
      return KernelCommandLineDescriptor.read(one);
    }
    if (tag == ChainPartitionDescriptor.TAG) {
      return ChainPartitionDescriptor.read(one);
    }
    return new UnknownDescriptor(tag, one);
  }
}
