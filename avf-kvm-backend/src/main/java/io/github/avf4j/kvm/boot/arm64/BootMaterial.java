package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.kvm.boot.Initrd;
import java.security.SecureRandom;

/**
 * What a device tree tells of what was loaded. Thread-safe.
 *
 * @param commandLine the kernel's command line
 * @param initrd where the initial RAM disk is
 * @param payload where the kernel's file is for firmware to verify; {@link Payload#NONE} if the
 *     kernel runs at once
 * @param instanceId what makes this instance different for its firmware; empty for none
 * @param seed randomness for the kernel, a multiple of 8 bytes, at least {@value #SEED_SIZE}
 */
record BootMaterial(
    String commandLine, Initrd initrd, Payload payload, byte[] instanceId, byte[] seed) {
  static final int SEED_SIZE = 64;

  private static final SecureRandom RANDOM = new SecureRandom();

  /**
   * A kernel's file in memory.
   *
   * @param address where it begins
   * @param size its length in bytes
   */
  record Payload(long address, int size) {
    static final Payload NONE = new Payload(0, 0);
  }

  /** Returns new randomness for a kernel. */
  static byte[] newSeed() {
    byte[] seed = new byte[SEED_SIZE];
    RANDOM.nextBytes(seed);
    return seed;
  }
}
