package io.github.avf4j.microdroid.payload;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.disk.CompositeDisk;
import io.github.avf4j.microdroid.disk.DiskImage;
import io.github.avf4j.microdroid.image.AtomicFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The payload disk as one raw file, because machines take nothing else. A copy that was made of the
 * same files is left as it is, unless the system was booted since, so that a loss of power may have
 * damaged it; a second file says what it was made of and when.
 *
 * <p>Confined to one thread.
 */
final class FlatDisk {
  static final String IMAGE = "payload-flat.img";
  static final String SOURCES = "payload-flat.made";

  private static final String HEADER = "avf4j payload disk 1";
  private static final String ADVICE = "run the VM again";
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  private final Path composite;
  private final Path image;
  private final Path sources;

  FlatDisk(Path composite) {
    this.composite = composite;
    this.image = composite.resolveSibling(IMAGE);
    this.sources = composite.resolveSibling(SOURCES);
  }

  /**
   * Makes sure that the copy is that of the composite disk as it is now.
   *
   * @return the copy
   * @throws InvalidImageException if a file of the disk is gone
   * @throws IOException if a file cannot be read or written
   */
  Path update() throws IOException {
    try (DiskImage disk = DiskImage.open(composite)) {
      List<FileStamp> parts = parts(disk);
      if (!isMadeOf(parts)) {
        Files.deleteIfExists(sources);
        copy(disk.descriptor().orElseThrow());
        try (AtomicFile file = AtomicFile.create(sources)) {
          file.write(0, ByteBuffer.wrap(made(parts)));
          file.commitUnsynced();
        }
      }
      return image;
    }
  }

  /** Copies inside the kernel; all parts are raw files. */
  private void copy(CompositeDisk disk) throws IOException {
    try (AtomicFile out = AtomicFile.create(image)) {
      for (int i = 0; i < disk.components().size(); i++) {
        CompositeDisk.Component part = disk.components().get(i);
        Path file = composite.resolveSibling(part.path());
        try (FileChannel in = FileChannel.open(file)) {
          copy(in, part.fileOffset(), disk.lengthOf(i), out.channel().position(part.offset()));
        }
      }
      out.extendTo(disk.length());
      // Written back when the system likes: the guest verifies it, and it can be made again.
      out.commitUnsynced();
    }
  }

  private static void copy(FileChannel in, long from, long length, FileChannel out)
      throws IOException {
    for (long done = 0; done < length; ) {
      long count = in.transferTo(from + done, length - done, out);
      if (count <= 0) {
        throw new EOFException("a part of the payload disk became shorter while it was read");
      }
      done += count;
    }
  }

  /** Returns whether the copy would be left as it is. */
  boolean isCurrent() throws IOException {
    try (DiskImage disk = DiskImage.open(composite)) {
      return isMadeOf(parts(disk));
    }
  }

  private boolean isMadeOf(List<FileStamp> parts) throws IOException {
    return Arrays.equals(made(parts), readSources());
  }

  private List<FileStamp> parts(DiskImage disk) {
    List<FileStamp> parts = new ArrayList<>();
    parts.add(stamp(composite));
    for (CompositeDisk.Component part : disk.descriptor().orElseThrow().components()) {
      parts.add(stamp(composite.resolveSibling(part.path())));
    }
    return parts;
  }

  /** What the second file has when the copy is right; nothing if there is no copy. */
  private byte[] made(List<FileStamp> parts) {
    if (!Files.isRegularFile(image)) {
      return new byte[0];
    }
    StringBuilder text = new StringBuilder(HEADER).append('\n').append(bootId()).append('\n');
    text.append(stamp(image).format()).append('\n');
    parts.forEach(part -> text.append(part.format()).append('\n'));
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** What tells this boot of the system from others; empty where nothing does. */
  private static String bootId() {
    try {
      return Files.readString(BOOT_ID).strip();
    } catch (IOException e) {
      return "";
    }
  }

  private byte[] readSources() throws IOException {
    try {
      return Files.readAllBytes(sources);
    } catch (NoSuchFileException e) {
      return new byte[] {0};
    }
  }

  private static FileStamp stamp(Path file) {
    return FileStamp.of(file, "payload disk's file", ADVICE);
  }
}
