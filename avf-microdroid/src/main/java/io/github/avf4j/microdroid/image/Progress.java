package io.github.avf4j.microdroid.image;

/** Hears how far long work is; called often, on the thread that works. */
@FunctionalInterface
public interface Progress {
  /** Nobody listens. */
  Progress NONE = (done, total) -> {};

  /**
   * Says how far the work is.
   *
   * @param done bytes, from 0 to {@code total}
   * @param total bytes of the whole work
   */
  void at(long done, long total);
}
