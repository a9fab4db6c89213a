package io.github.avf4j.virtio.blk;

/** The feature bits of a block device that are offered (virtio 1.2, section 5.2.3). */
final class BlkFeatures {
  static final long SEG_MAX = 1L << 2;
  static final long READ_ONLY = 1L << 5;
  static final long BLK_SIZE = 1L << 6;
  static final long FLUSH = 1L << 9;
  static final long DISCARD = 1L << 13;
  static final long WRITE_ZEROES = 1L << 14;

  private BlkFeatures() {}
}
