package io.github.avf4j.microdroid.java;

import io.github.avf4j.JavaPayload;
import io.github.avf4j.JavaPayloadException;
import io.github.avf4j.JavaPayloadException.Reason;
import io.github.avf4j.microdroid.apk.ApkWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.SortedSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Jars and folders of classes, each with its place in the APK: {@code java/N.jar} or {@code
 * java/N}.
 *
 * <p>Confined to one thread.
 */
final class ClassPath {
  private static final String CLASS = ".class";

  /** The greatest class file that a JVM may be given; what is larger is no class. */
  private static final int MAX_CLASS = 16 << 20;

  /**
   * A jar or a folder.
   *
   * @param files of a folder, by their paths in it
   */
  private record Entry(String apkPath, Path source, boolean isJar, List<String> files) {}

  private final List<Entry> entries;
  private final NeededModules modules = new NeededModules();

  private ClassPath(List<Entry> entries) {
    this.entries = entries;
  }

  /**
   * Looks at what is there.
   *
   * @throws JavaPayloadException of the reason CLASS_PATH if something is missing, or the main
   *     class in it
   */
  static ClassPath of(JavaPayload payload) {
    List<Entry> entries = new ArrayList<>();
    for (Path source : payload.classPath()) {
      String place = "java/" + entries.size();
      try {
        if (Files.isDirectory(source)) {
          entries.add(new Entry(place, source, false, filesOf(source)));
        } else {
          new ZipFile(source.toFile()).close();
          entries.add(new Entry(place + ".jar", source, true, List.of()));
        }
      } catch (IOException e) {
        throw unusable(source, e);
      }
    }
    ClassPath path = new ClassPath(List.copyOf(entries));
    if (!path.scan(payload.mainClass().replace('.', '/') + CLASS)) {
      throw new JavaPayloadException(
          Reason.CLASS_PATH,
          "the class %s is in no jar and no folder of %s: add the one that has it"
              .formatted(payload.mainClass(), payload.classPath()),
          null);
    }
    return path;
  }

  private static JavaPayloadException unusable(Path source, IOException e) {
    return new JavaPayloadException(
        Reason.CLASS_PATH,
        "%s on the class path is neither a folder nor a jar that can be read (%s)"
            .formatted(source, e.getMessage()),
        e);
  }

  private static List<String> filesOf(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString())
          .sorted()
          .toList();
    }
  }

  /** Looks at all classes; returns whether there is one of this name. */
  private boolean scan(String mainFile) {
    boolean found = false;
    for (Entry entry : entries) {
      try {
        if (entry.isJar()) {
          found |= scanJar(entry.source(), mainFile);
          continue;
        }
        found |= entry.files().contains(mainFile);
        for (String file : entry.files()) {
          if (file.endsWith(CLASS)) {
            try (InputStream in = Files.newInputStream(entry.source().resolve(file))) {
              modules.add(in.readNBytes(MAX_CLASS));
            }
          }
        }
      } catch (IOException e) {
        throw unusable(entry.source(), e);
      }
    }
    return found;
  }

  private boolean scanJar(Path jar, String mainFile) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements(); ) {
        ZipEntry file = all.nextElement();
        if (file.getName().endsWith(CLASS)) {
          try (InputStream in = zip.getInputStream(file)) {
            modules.add(in.readNBytes(MAX_CLASS));
          }
        }
      }
      return zip.getEntry(mainFile) != null;
    }
  }

  /** The modules of the Java runtime that classes of it name. */
  SortedSet<String> neededModules() {
    return modules.names();
  }

  /** The places in the APK, in the order in which they are searched. */
  List<String> apkPaths() {
    return entries.stream().map(Entry::apkPath).toList();
  }

  void addTo(ApkWriter apk) {
    for (Entry entry : entries) {
      if (entry.isJar()) {
        apk.add(entry.apkPath(), entry.source());
      }
      for (String file : entry.files()) {
        apk.add(entry.apkPath() + '/' + file, entry.source().resolve(file));
      }
    }
  }
}
