package io.github.avf4j.lab;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.disk.DiskImage;
import io.github.avf4j.microdroid.disk.Partition;
import io.github.avf4j.microdroid.disk.PartitionTable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Changes files so that the host does not notice, as one with other means could: in place, with
 * size, inode and time of modification as before.
 */
final class Tampering {
  private final Map<Path, byte[]> saved = new LinkedHashMap<>();
  private final Map<Path, FileTime> times = new LinkedHashMap<>();

  /** Remembers files as they are now. */
  Tampering(Path... files) throws IOException {
    for (Path file : files) {
      saved.put(file, Files.readAllBytes(file));
      times.put(file, Files.getLastModifiedTime(file));
    }
  }

  /** Makes the remembered files what they were. */
  void restore() throws IOException {
    for (Path file : saved.keySet()) {
      if (!Arrays.equals(Files.readAllBytes(file), saved.get(file))) {
        write(file, 0, saved.get(file));
      }
      Files.setLastModifiedTime(file, times.get(file));
    }
  }

  /** Flips one bit. */
  void flip(Path file, long position) throws IOException {
    write(file, position, new byte[] {(byte) (saved.get(file)[(int) position] ^ 1)});
  }

  void write(Path file, long position, byte[] bytes) throws IOException {
    FileTime time = Files.getLastModifiedTime(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer left = ByteBuffer.wrap(bytes);
      while (left.hasRemaining()) {
        channel.write(left, position + left.position());
      }
    }
    Files.setLastModifiedTime(file, time);
  }

  /** Where some bytes are in a remembered file, from {@code start} on. */
  long find(Path file, byte[] bytes, long start) {
    byte[] all = saved.get(file);
    for (int at = (int) start; at + bytes.length <= all.length; at++) {
      if (Arrays.equals(all, at, at + bytes.length, bytes, 0, bytes.length)) {
        return at;
      }
    }
    throw new AssertionError(file + " has no " + ByteSlice.takeOver(bytes.clone()).toHex());
  }

  /** Where a partition of a disk starts. */
  static long start(Path disk, String label) throws IOException {
    try (DiskImage image = DiskImage.open(disk)) {
      return PartitionTable.read(image).partitions().stream()
          .filter(partition -> partition.label().equals(label))
          .mapToLong(Partition::start)
          .findFirst()
          .orElseThrow();
    }
  }
}
