package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.HashtreeFooter;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.erofs.ErofsTree;
import io.github.avf4j.microdroid.erofs.ErofsWriter;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Makes the read-only system: the runtime of payloads under {@code lib64}, licences under {@code
 * NOTICE}, programs under {@code bin}, and what else is added. Confined to one thread.
 */
final class SystemImage {
  /** The name of the partition. */
  static final String PARTITION = "system";

  /** The time that Android gives all files of its images. */
  private static final long MTIME = 1_611_569_676;

  private static final int FOLDER = 0755;
  private static final int PROGRAM = 0755;
  private static final int FILE = 0644;

  private final GuestRuntime runtime;
  private final SortedMap<String, Added> added = new TreeMap<>();

  private record Added(Path file, int mode) {}

  SystemImage(GuestRuntime runtime) {
    this.runtime = runtime;
  }

  void add(String path, Path file, boolean executable) {
    if (!path.matches("[^/\\x00]+(/[^/\\x00]+)*") || path.matches("(.*/)?\\.\\.?(/.*)?")) {
      throw new IllegalArgumentException(
          "a path in the system must be relative and without dots but was \"" + path + '"');
    }
    added.put(path, new Added(file, executable ? PROGRAM : FILE));
  }

  /** How many bytes the files have; an estimate of the work. */
  long size() throws IOException {
    long size = 0;
    for (Path file : runtime.libraries().values()) {
      size += Files.size(file);
    }
    return size;
  }

  /** The files that the image is made of. */
  List<FileStamp> sources() throws IOException {
    List<Path> files = new ArrayList<>(runtime.libraries().values());
    files.addAll(runtime.notices().values());
    added.values().forEach(entry -> files.add(entry.file));
    return files.stream().map(file -> FileStamp.of(file, "guest's file", "add it again")).toList();
  }

  /** Writes the image, its tree, the vbmeta image and the footer. */
  HashtreeFooter.Made write(Path file, VbmetaBuilder vbmeta, Progress progress) throws IOException {
    new ErofsWriter(MTIME, PARTITION).write(tree(), file, progress);
    ByteSlice salt = Salts.of(PARTITION);
    return HashtreeFooter.forPartition(PARTITION).salt(salt).addTo(file, vbmeta);
  }

  private ErofsTree tree() throws IOException {
    ErofsTree tree = new ErofsTree();
    for (String folder : new String[] {"NOTICE", "bin", "lib64"}) {
      tree.folder(folder, FOLDER, 0, 0);
    }
    for (Map.Entry<String, Path> notice : runtime.notices().entrySet()) {
      tree.file("NOTICE/" + notice.getKey(), notice.getValue(), FILE, 0, 0);
    }
    for (Map.Entry<String, Path> library : runtime.libraries().entrySet()) {
      String name = library.getKey();
      int mode = name.equals(GuestRuntime.LOADER) ? PROGRAM : FILE;
      tree.file("lib64/" + name, library.getValue(), mode, 0, 0);
    }
    for (Map.Entry<String, Added> entry : added.entrySet()) {
      tree.file(entry.getKey(), entry.getValue().file, entry.getValue().mode, 0, 0);
    }
    return tree;
  }
}
