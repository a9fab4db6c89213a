package io.github.avf4j.attestation.avb;

/**
 * One entry of the list that a vbmeta image signs.
 *
 * <p>Implementations are immutable and thread-safe; their constructors check nothing but nullness,
 * because what cannot be is found when it is written or verified.
 */
public sealed interface AvbDescriptor
    permits AvbDescriptor.OfPartition,
        KernelCommandLineDescriptor,
        PropertyDescriptor,
        UnknownDescriptor {

  /** The number of the kind. */
  long tag();

  /**
   * The descriptor as it stands in an image: head, parts, zeros up to a multiple of 8.
   *
   * @throws AvbException of kind REQUEST if it would not be read again
   */
  byte[] encode();

  /** The least minor version of libavb 1 that does what the descriptor says. */
  default int requiredMinor() {
    return 0;
  }

  /** A descriptor that is about one partition. */
  sealed interface OfPartition extends AvbDescriptor
      permits ChainPartitionDescriptor, HashDescriptor, HashtreeDescriptor {
    /** The partition without A/B suffix. */
    String partitionName();
  }
}
