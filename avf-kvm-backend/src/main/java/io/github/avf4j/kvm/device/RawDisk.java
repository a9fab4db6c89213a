package io.github.avf4j.kvm.device;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.FileHoles;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.virtio.blk.BlockBackend;
import io.github.avf4j.virtio.blk.FileBackend;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * A raw image file that the guest can write, and whose storage it can give back. Called by one
 * thread at a time.
 */
public final class RawDisk implements BlockBackend {
  private final Fd descriptor;
  private final FileBackend file;
  private boolean punches = true;

  private RawDisk(Fd descriptor, FileBackend file) {
    this.descriptor = descriptor;
    this.file = file;
  }

  /**
   * Opens a disk's image.
   *
   * @throws InvalidImageException if it is no regular file, cannot be opened, or its length is not
   *     a nonzero multiple of 512 bytes
   */
  public static BlockBackend open(DiskSpec disk) {
    if (disk.readOnly()) {
      return FileBackend.open(disk.image(), true);
    }
    Fd descriptor;
    try {
      descriptor = Fd.openReadWrite(disk.image());
    } catch (HypervisorException e) {
      throw new InvalidImageException(
          "cannot open the disk image " + disk.image() + " for writing: " + e.getMessage(), e);
    }
    try {
      Path name = Path.of("/proc/self/fd", Integer.toString(descriptor.number()));
      return new RawDisk(descriptor, FileBackend.open(disk.image(), name, false));
    } catch (RuntimeException e) {
      descriptor.close();
      throw e;
    }
  }

  @Override
  public long size() {
    return file.size();
  }

  @Override
  public void read(ByteBuffer target, long position) throws IOException {
    file.read(target, position);
  }

  @Override
  public void write(ByteBuffer source, long position) throws IOException {
    file.write(source, position);
  }

  @Override
  public void flush() throws IOException {
    file.flush();
  }

  @Override
  public void writeZeroes(long position, long length) throws IOException {
    if (length > 0 && !punch(position, length)) {
      file.writeZeroes(position, length);
    }
  }

  @Override
  public boolean canDiscard() {
    return true;
  }

  /** Does nothing where the file system cannot: what is discarded may read as before. */
  @Override
  public void discard(long position, long length) throws IOException {
    if (length > 0) {
      punch(position, length);
    }
  }

  private boolean punch(long position, long length) throws IOException {
    try {
      punches = punches && FileHoles.punch(descriptor, position, length);
    } catch (HypervisorException e) {
      throw new IOException(e.getMessage(), e);
    }
    return punches;
  }

  @Override
  public void close() {
    try (descriptor) {
      file.close();
    }
  }
}
