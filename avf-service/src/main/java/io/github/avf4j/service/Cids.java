package io.github.avf4j.service;

import io.github.avf4j.Cid;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/** Gives every machine of this JVM a CID of its own. Thread-safe. */
final class Cids {
  // High, because the port of the same number on the host is the framework's and not the user's.
  private static final long FIRST = 1 << 20;
  private static final long LAST = 0x7fff_ffffL;

  private static final AtomicLong next =
      new AtomicLong(ThreadLocalRandom.current().nextLong(FIRST, LAST));

  private Cids() {}

  static Cid take() {
    return new Cid(next.getAndUpdate(cid -> cid == LAST ? FIRST : cid + 1));
  }
}
