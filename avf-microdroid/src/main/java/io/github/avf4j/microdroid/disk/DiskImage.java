package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The content of a disk image file, whether it is raw, sparse or composite; components of a
 * composite disk may be any of these again.
 *
 * <p>Thread-safe until it is closed.
 */
public final class DiskImage implements ImageSource, AutoCloseable {
  private static final int MAX_DEPTH = 16;

  /** How many files one disk may open in all: nesting multiplies. */
  private static final int MAX_FILES = 1024;

  private final ImageFormat format;
  private final Optional<CompositeDisk> descriptor;
  private final ImageSource content;
  private final List<FileChannel> files;

  private DiskImage(
      ImageFormat format,
      Optional<CompositeDisk> descriptor,
      ImageSource content,
      List<FileChannel> files) {
    this.format = format;
    this.descriptor = descriptor;
    this.content = content;
    this.files = files;
  }

  /**
   * Opens a disk and all files that it consists of, for reading.
   *
   * @throws ImageException if any is damaged, is shorter than its range, or is a qcow2 image
   * @throws IOException if any cannot be opened or read
   */
  public static DiskImage open(Path file) throws IOException {
    List<FileChannel> files = new ArrayList<>();
    try {
      return open(file, files, 0);
    } catch (IOException | RuntimeException e) {
      close(files, e);
      throw e;
    }
  }

  private static DiskImage open(Path file, List<FileChannel> files, int depth) throws IOException {
    if (depth == MAX_DEPTH) {
      throw bad("disks are nested more than 16 deep, or one contains itself");
    }
    if (files.size() == MAX_FILES) {
      throw bad("the disk consists of more than " + MAX_FILES + " files");
    }
    DiskFiles.requireRegular(file);
    FileChannel channel = FileChannel.open(file);
    files.add(channel);
    ImageSource source = ImageSource.of(channel);
    ImageFormat format = ImageFormat.of(source);
    return switch (format) {
      case QCOW2 ->
          throw new ImageException(
              format, file + " cannot be read here: convert it to a raw image");
      case SPARSE -> new DiskImage(format, Optional.empty(), SparseImage.open(source), files);
      case COMPOSITE -> composite(file, source, files, depth);
      default -> new DiskImage(ImageFormat.RAW, Optional.empty(), source, files);
    };
  }

  private static DiskImage composite(
      Path file, ImageSource source, List<FileChannel> files, int depth) throws IOException {
    CompositeDisk disk = readDescriptor(source);
    ImageSource[] sources = new ImageSource[disk.components().size()];
    for (int i = 0; i < sources.length; i++) {
      CompositeDisk.Component component = disk.components().get(i);
      ImageSource part = open(resolve(file, component.path()), files, depth + 1);
      long length = disk.lengthOf(i);
      if (component.fileOffset() > part.size() || length > part.size() - component.fileOffset()) {
        throw bad(
            "component \"%s\" must have %d bytes from byte %d but has %d in all"
                .formatted(component.path(), length, component.fileOffset(), part.size()));
      }
      sources[i] = ImageView.part(part, component.fileOffset(), length);
    }
    return new DiskImage(
        ImageFormat.COMPOSITE, Optional.of(disk), new JoinedSource(disk, sources), files);
  }

  /**
   * Reads the descriptor alone.
   *
   * @throws ImageException if it is none, damaged or longer than 1 MiB
   */
  public static CompositeDisk readDescriptor(ImageSource source) throws IOException {
    if (source.size() > CompositeDisk.MAX_SIZE) {
      throw bad(
          "a descriptor has at most %d bytes but here are %d"
              .formatted(CompositeDisk.MAX_SIZE, source.size()));
    }
    return CompositeDisk.parse(ByteSlice.takeOver(source.readRange(0, (int) source.size())));
  }

  private static Path resolve(Path descriptor, String path) {
    try {
      return descriptor.resolveSibling(path);
    } catch (InvalidPathException e) {
      throw bad("\"" + path + "\" is no path of this machine");
    }
  }

  /** The format of the outermost file: raw, sparse or composite. */
  public ImageFormat format() {
    return format;
  }

  /** The descriptor of a composite disk. */
  public Optional<CompositeDisk> descriptor() {
    return descriptor;
  }

  @Override
  public long size() {
    return content.size();
  }

  @Override
  public void read(long position, byte[] target, int offset, int length) throws IOException {
    content.read(position, target, offset, length);
  }

  @Override
  public void close() {
    close(files, null);
  }

  private static void close(List<FileChannel> files, @Nullable Exception reason) {
    for (FileChannel file : files) {
      try {
        file.close();
      } catch (IOException e) {
        // Nothing was written; what matters is thrown already.
        if (reason != null) {
          reason.addSuppressed(e);
        }
      }
    }
  }

  private static ImageException bad(String reason) {
    return new ImageException(ImageFormat.COMPOSITE, reason);
  }

  /** Components one after the other. */
  private static final class JoinedSource implements ImageSource {
    private final CompositeDisk disk;
    private final ImageSource[] parts;

    JoinedSource(CompositeDisk disk, ImageSource[] parts) {
      this.disk = disk;
      this.parts = parts;
    }

    @Override
    public long size() {
      return disk.length();
    }

    @Override
    public void read(long position, byte[] target, int offset, int length) throws IOException {
      requireInside(position, length);
      long at = position;
      int done = 0;
      for (int i = indexOf(position); done < length; i++) {
        long inPart = at - disk.components().get(i).offset();
        int piece = (int) Math.min(length - done, parts[i].size() - inPart);
        parts[i].read(inPart, target, offset + done, piece);
        at += piece;
        done += piece;
      }
    }

    private int indexOf(long position) {
      int low = 0;
      int high = parts.length - 1;
      while (low < high) {
        int middle = (low + high + 1) >>> 1;
        if (disk.components().get(middle).offset() <= position) {
          low = middle;
        } else {
          high = middle - 1;
        }
      }
      return low;
    }
  }
}
