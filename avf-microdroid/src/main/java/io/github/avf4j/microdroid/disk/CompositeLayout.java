package io.github.avf4j.microdroid.disk;

/**
 * The three files that make partitions a disk. Nobody may write to the arrays.
 *
 * @param descriptor names all files of the disk
 * @param header the first 20480 bytes of the disk
 * @param footer the last 20480 bytes of the disk
 */
public record CompositeLayout(CompositeDisk descriptor, byte[] header, byte[] footer) {}
