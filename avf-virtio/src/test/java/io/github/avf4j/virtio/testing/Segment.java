package io.github.avf4j.virtio.testing;

/**
 * A buffer of a chain. Thread-safe.
 *
 * @param address the guest-physical address
 * @param length the length in bytes, up to 2^32-1
 * @param writable whether the device writes it
 */
public record Segment(long address, long length, boolean writable) {}
