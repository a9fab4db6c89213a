package io.github.avf4j.microdroid.apk;

/**
 * The SDK levels that a signer is for, both ends included.
 *
 * @param min the lowest
 * @param max the highest
 */
record SdkRange(long min, long max) {
  static final SdkRange ALL = new SdkRange(0, 0xffffffffL);

  static SdkRange read(LittleEndian in) {
    long position = in.position();
    SdkRange range = new SdkRange(in.u32("the lowest SDK level"), in.u32("the highest SDK level"));
    if (range.min > range.max) {
      throw new ApkException(ApkError.SIGNER_FORM, "no SDK level is in " + range, position);
    }
    return range;
  }

  boolean contains(long level) {
    return level >= min && level <= max;
  }

  boolean overlaps(SdkRange other) {
    return min <= other.max && other.min <= max;
  }

  @Override
  public String toString() {
    return min + ".." + max;
  }
}
