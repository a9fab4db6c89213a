package io.github.avf4j.linux;

import java.lang.ref.Reference;

/** The limit of memory that this process may lock into RAM (RLIMIT_MEMLOCK). Thread-safe. */
public final class MemoryLimit {
  // struct rlimit: soft 0, hard 8.
  private static final int SOFT = 0;
  private static final int HARD = 8;

  private MemoryLimit() {}

  /**
   * Raises the limit as far as the system lets this process: without limit if it is privileged,
   * else to the hard limit.
   */
  public static synchronized void raise() {
    NativeBuffer limits = NativeBuffer.allocate(16);
    limits.bytes().putLong(SOFT, LibC.RLIM_INFINITY).putLong(HARD, LibC.RLIM_INFINITY);
    if (LibC.setrlimit(LibC.RLIMIT_MEMLOCK, limits.address()) != 0 && read(limits)) {
      limits.bytes().putLong(SOFT, limits.bytes().getLong(HARD));
      LibC.setrlimit(LibC.RLIMIT_MEMLOCK, limits.address());
    }
    Reference.reachabilityFence(limits);
  }

  /** Returns the limit that holds now in bytes, {@link Long#MAX_VALUE} if there is none. */
  public static long bytes() {
    NativeBuffer limits = NativeBuffer.allocate(16);
    if (!read(limits)) {
      return Long.MAX_VALUE;
    }
    long soft = limits.bytes().getLong(SOFT);
    return soft < 0 ? Long.MAX_VALUE : soft;
  }

  private static boolean read(NativeBuffer limits) {
    boolean done = LibC.getrlimit(LibC.RLIMIT_MEMLOCK, limits.address()) == 0;
    Reference.reachabilityFence(limits);
    return done;
  }
}
