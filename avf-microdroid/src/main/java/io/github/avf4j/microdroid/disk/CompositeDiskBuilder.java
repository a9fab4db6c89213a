package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Composes a disk of partitions that are files, as virtmgr does.
 *
 * <p>Partitions start at byte 20480 and at multiples of 4096. A read-only one of another size is
 * filled up with zeros; a writable one is refused then. Confined to one thread.
 */
public final class CompositeDiskBuilder {
  /** The name of the file that read-only partitions are filled up with. */
  public static final String ZERO_FILE = "zero.img";

  private static final int ALIGNMENT = 4096;
  private static final int MAX_PARTITIONS = 128;

  private record Part(
      String label, @Nullable Path file, String path, long size, boolean writable, UUID guid) {}

  private final List<Part> parts = new ArrayList<>();
  private final Set<String> labels = new HashSet<>();
  private UUID diskGuid = UUID.randomUUID();
  private boolean reproducible;

  /** Starts without partitions. */
  public CompositeDiskBuilder() {}

  /** Sets the GUID of the disk; random otherwise. */
  public CompositeDiskBuilder diskGuid(UUID guid) {
    this.diskGuid = guid;
    return this;
  }

  /**
   * Derives the GUIDs of the disk and of the partitions that follow from labels and sizes, so that
   * the same partitions make the same disk.
   */
  public CompositeDiskBuilder reproducible() {
    reproducible = true;
    return this;
  }

  /**
   * Adds a partition with a GUID of its own.
   *
   * @param file a raw or a sparse image
   * @throws ImageException if it is of another format or empty, or the label is used already
   * @throws IOException if it cannot be read
   */
  public CompositeDiskBuilder partition(String label, Path file, boolean writable)
      throws IOException {
    return partition(label, file, writable, null);
  }

  /**
   * Adds a partition.
   *
   * @param file a raw or a sparse image
   * @param guid null for one of its own
   * @throws ImageException if it is of another format or empty, or the label is used already
   * @throws IOException if it cannot be read
   */
  public CompositeDiskBuilder partition(
      String label, Path file, boolean writable, @Nullable UUID guid) throws IOException {
    return add(label, file, file.toString(), sizeOf(file), writable, guid);
  }

  /**
   * Adds a partition whose file is known to the reader of the descriptor only, such as a file
   * descriptor that a process will inherit.
   *
   * @param path as it shall stand in the descriptor
   * @param size in bytes
   * @param guid null for one of its own
   */
  public CompositeDiskBuilder partition(
      String label, String path, long size, boolean writable, @Nullable UUID guid) {
    return add(label, null, path, size, writable, guid);
  }

  /** Adds a read-only partition whose file is written with the disk. */
  CompositeDiskBuilder partition(String label, Path file, long size) {
    return add(label, file, file.toString(), size, false, null);
  }

  private CompositeDiskBuilder add(
      String label,
      @Nullable Path file,
      String path,
      long size,
      boolean writable,
      @Nullable UUID guid) {
    String known = label.substring(0, Math.min(label.length(), Partition.MAX_LABEL));
    if (known.isEmpty()) {
      throw bad("a partition must have a label");
    }
    if (!labels.add(known)) {
      throw bad("two partitions have the label \"" + known + '"');
    }
    if (parts.size() == MAX_PARTITIONS) {
      throw bad("a disk has at most 128 partitions");
    }
    if (size <= 0 || size > Long.MAX_VALUE >> 1) {
      throw bad("partition \"" + known + "\" must not be empty");
    }
    if (writable && size % ALIGNMENT != 0) {
      throw bad(
          "the writable partition \"%s\" must have a multiple of 4096 bytes but has %d"
              .formatted(known, size));
    }
    UUID own = guid == null ? guid(known + ' ' + size) : guid;
    parts.add(new Part(known, file, path, size, writable, own));
    return this;
  }

  private UUID guid(String name) {
    return reproducible
        ? UUID.nameUUIDFromBytes(("avf4j partition " + name).getBytes(StandardCharsets.UTF_8))
        : UUID.randomUUID();
  }

  /**
   * Computes the files around the partitions.
   *
   * @param headerPath of the file that will have the header, as it shall stand in the descriptor
   * @param footerPath of that with the footer
   * @param zeroPath of one with 4096 zeros
   * @throws ImageException if there is no partition
   */
  public CompositeLayout layout(String headerPath, String footerPath, String zeroPath) {
    return layout(headerPath, footerPath, zeroPath, null);
  }

  private CompositeLayout layout(
      String headerPath, String footerPath, String zeroPath, @Nullable Path folder) {
    if (parts.isEmpty()) {
      throw bad("a disk must have a partition");
    }
    List<CompositeDisk.Component> components = new ArrayList<>();
    List<Partition> partitions = new ArrayList<>();
    components.add(new CompositeDisk.Component(headerPath, 0, false));
    long offset = GptWriter.END_SIZE;
    for (Part part : parts) {
      long aligned = (part.size() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      String path = folder == null ? part.path() : pathFrom(folder, part);
      components.add(new CompositeDisk.Component(path, offset, part.writable()));
      if (aligned != part.size()) {
        components.add(new CompositeDisk.Component(zeroPath, offset + part.size(), false));
      }
      long end = Math.addExact(offset, aligned);
      partitions.add(
          new Partition(
              part.label(),
              part.guid(),
              Partition.LINUX,
              offset / Partition.BLOCK,
              end / Partition.BLOCK - 1));
      offset = end;
    }
    components.add(new CompositeDisk.Component(footerPath, offset, false));
    UUID guid = reproducible ? guid("disk " + parts.get(0).label() + ' ' + offset) : diskGuid;
    GptWriter table = new GptWriter(guid, partitions, offset);
    return new CompositeLayout(
        new CompositeDisk(CompositeDisk.VERSION, components, table.diskSize()),
        table.head(),
        table.foot());
  }

  private static String pathFrom(Path folder, Part part) {
    if (part.file() == null) {
      return part.path();
    }
    Path file = part.file().toAbsolutePath().normalize();
    return file.startsWith(folder) ? folder.relativize(file).toString() : file.toString();
  }

  /**
   * Writes the descriptor and, next to it, header, footer and {@value #ZERO_FILE}. For {@code
   * disk.img} the former are {@code disk-header.img} and {@code disk-footer.img}. Partitions below
   * the folder are named relative to it.
   *
   * <p>The descriptor comes last, and one that was there before goes first, so that no kill leaves
   * a descriptor with another disk's header.
   *
   * @throws IOException if a file cannot be written
   */
  public CompositeLayout write(Path image) throws IOException {
    return write(image, Map.of(), false);
  }

  /**
   * Writes the disk.
   *
   * @param partitions contents that belong to the disk, by the names of their files
   * @param update whether files that are right stay as they are, and none is synced: the next
   *     update sees what a loss of power did to them
   */
  CompositeLayout write(Path image, Map<Path, byte[]> partitions, boolean update)
      throws IOException {
    Path target = image.toAbsolutePath().normalize();
    Path folder = target.getParent();
    if (folder == null) {
      throw bad("the image needs a file name");
    }
    String name = String.valueOf(target.getFileName());
    int dot = name.lastIndexOf('.');
    String stem = dot > 0 ? name.substring(0, dot) : name;
    String extension = dot > 0 ? name.substring(dot) : "";
    String header = stem + "-header" + extension;
    String footer = stem + "-footer" + extension;
    for (Part part : parts) {
      requireOther(part, folder, name, header, footer, ZERO_FILE);
    }
    CompositeLayout layout = layout(header, footer, ZERO_FILE, folder);
    byte[] descriptor = layout.descriptor().encode();
    Map<Path, byte[]> contents = new LinkedHashMap<>(partitions);
    contents.put(folder.resolve(header), layout.header());
    contents.put(folder.resolve(footer), layout.footer());
    contents.put(folder.resolve(ZERO_FILE), new byte[ALIGNMENT]);
    if (update && holds(target, descriptor) && holdAll(contents)) {
      return layout;
    }
    try (AtomicFile file = AtomicFile.create(target)) {
      file.stream().write(descriptor);
      Files.deleteIfExists(target);
      for (Map.Entry<Path, byte[]> content : contents.entrySet()) {
        try (AtomicFile part = AtomicFile.create(content.getKey())) {
          part.stream().write(content.getValue());
          commit(part, update);
        }
      }
      commit(file, update);
    }
    return layout;
  }

  private static void commit(AtomicFile file, boolean unsynced) throws IOException {
    if (unsynced) {
      file.commitUnsynced();
    } else {
      file.commit();
    }
  }

  private static boolean holdAll(Map<Path, byte[]> contents) throws IOException {
    for (Map.Entry<Path, byte[]> content : contents.entrySet()) {
      if (!holds(content.getKey(), content.getValue())) {
        return false;
      }
    }
    return true;
  }

  private static boolean holds(Path file, byte[] content) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        && Files.size(file) == content.length
        && Arrays.equals(Files.readAllBytes(file), content);
  }

  private static void requireOther(Part part, Path folder, String... written) {
    if (part.file() != null) {
      Path file = part.file().toAbsolutePath().normalize();
      for (String name : written) {
        if (file.equals(folder.resolve(name))) {
          throw bad("partition \"" + part.label() + "\" would be overwritten by " + name);
        }
      }
    }
  }

  /** The size that crosvm will see: that of the content for a sparse image. */
  private static long sizeOf(Path file) throws IOException {
    DiskFiles.requireRegular(file);
    try (FileChannel channel = FileChannel.open(file)) {
      ImageSource source = ImageSource.of(channel);
      return switch (ImageFormat.of(source)) {
        case COMPOSITE, QCOW2 ->
            throw bad(file + " is a " + ImageFormat.of(source) + ": give a raw or sparse image");
        case SPARSE -> SparseImage.open(source).size();
        default -> source.size();
      };
    }
  }

  private static ImageException bad(String reason) {
    return new ImageException(ImageFormat.COMPOSITE, reason);
  }
}
