package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.util.Arrays;

/**
 * A file of which some parts were read already: they are never read again, so that what was judged
 * is what is hashed. Thread-safe.
 *
 * @param file the whole file
 * @param pins parts in ascending order, which do not overlap
 * @param zerosFrom from here on there are only zeros
 */
record PinnedSource(ImageSource file, Pin[] pins, long zerosFrom) implements ImageSource {
  /** A part of the file in memory. */
  record Pin(long position, ByteSlice bytes) {
    long end() {
      return position + bytes.length();
    }
  }

  @Override
  public long size() {
    return file.size();
  }

  @Override
  public void read(long position, byte[] target, int offset, int length) throws IOException {
    requireInside(position, length);
    long at = position;
    long end = position + length;
    for (Pin pin : pins) {
      if (pin.end() <= at || pin.position >= end || pin.bytes.isEmpty()) {
        continue;
      }
      if (at < pin.position) {
        file.read(at, target, offset + (int) (at - position), (int) (pin.position - at));
        at = pin.position;
      }
      long stop = Math.min(end, pin.end());
      pin.bytes
          .slice((int) (at - pin.position), (int) (stop - pin.position))
          .copyTo(target, offset + (int) (at - position));
      at = stop;
    }
    if (at < Math.min(end, zerosFrom)) {
      long stop = Math.min(end, zerosFrom);
      file.read(at, target, offset + (int) (at - position), (int) (stop - at));
      at = stop;
    }
    Arrays.fill(target, offset + (int) (at - position), offset + length, (byte) 0);
  }
}
