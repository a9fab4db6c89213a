package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.HashtreeFooter;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.erofs.ErofsTree;
import io.github.avf4j.microdroid.erofs.ErofsWriter;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.initrd.GuestBinary;
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
 * NOTICE}, programs under {@code bin}, and what else is added. What is added replaces what the
 * guest brings itself, but no file of the runtime. Confined to one thread.
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
  private final GuestArchitecture architecture;
  private final SortedMap<String, Added> added = new TreeMap<>();

  /** What the guest itself brings, unless a file was added under its name. */
  private final SortedMap<String, BuiltIn> builtIn = new TreeMap<>();

  private record Added(Path file, int mode) {}

  private record BuiltIn(byte[] content, int mode) {}

  SystemImage(GuestRuntime runtime, GuestArchitecture architecture) {
    this.runtime = runtime;
    this.architecture = architecture;
  }

  void add(String path, Path file, boolean executable) {
    if (!path.matches("[^/\\x00]+(/[^/\\x00]+)*") || path.matches("(.*/)?\\.\\.?(/.*)?")) {
      throw new IllegalArgumentException(
          "a path in the system must be relative and without dots but was \"" + path + '"');
    }
    added.put(path, new Added(file, executable ? PROGRAM : FILE));
  }

  /** Adds one of the guest's programs. */
  void program(GuestBinary binary) {
    builtIn.put("bin/" + binary.fileName(), new BuiltIn(binary.read(architecture), PROGRAM));
  }

  /** Adds one of the guest's libraries. */
  void library(GuestBinary binary) {
    builtIn.put("lib64/" + binary.fileName(), new BuiltIn(binary.read(architecture), FILE));
  }

  /** How many bytes the files have; an estimate of the work. */
  long size() throws IOException {
    long size = 0;
    for (Path file : runtime.libraries(architecture).values()) {
      size += Files.size(file);
    }
    for (BuiltIn own : builtIn.values()) {
      size += own.content.length;
    }
    return size;
  }

  /** The files that the image is made of. */
  List<FileStamp> sources() throws IOException {
    List<Path> files = new ArrayList<>(runtime.libraries(architecture).values());
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
    for (Map.Entry<String, Path> library : runtime.libraries(architecture).entrySet()) {
      String name = library.getKey();
      int mode = name.equals(architecture.loader()) ? PROGRAM : FILE;
      tree.file("lib64/" + name, library.getValue(), mode, 0, 0);
    }
    for (Map.Entry<String, BuiltIn> entry : builtIn.entrySet()) {
      if (!added.containsKey(entry.getKey())) {
        tree.file(entry.getKey(), entry.getValue().content, entry.getValue().mode, 0, 0);
      }
    }
    for (Map.Entry<String, Added> entry : added.entrySet()) {
      tree.file(entry.getKey(), entry.getValue().file, entry.getValue().mode, 0, 0);
    }
    return tree;
  }
}
