package io.github.avf4j.virtio.testing;

/**
 * An element of a used ring. Thread-safe.
 *
 * @param head the first descriptor of the chain that was given back
 * @param length how many bytes the device says it wrote
 */
public record Used(int head, long length) {}
