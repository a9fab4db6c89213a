package io.github.avf4j.kvm.boot.x86;

/**
 * Where the initial RAM disk is. Thread-safe.
 *
 * @param address its guest-physical address
 * @param size its length in bytes, 0 if there is none
 */
record Initrd(long address, long size) {
  static final Initrd NONE = new Initrd(0, 0);
}
