package io.github.avf4j.kvm.boot;

/**
 * Where the initial RAM disk is. Thread-safe.
 *
 * @param address its guest-physical address
 * @param size its length in bytes, 0 if there is none
 */
public record Initrd(long address, long size) {
  /** None. */
  public static final Initrd NONE = new Initrd(0, 0);
}
