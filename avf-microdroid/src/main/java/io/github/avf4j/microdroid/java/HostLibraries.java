package io.github.avf4j.microdroid.java;

import io.github.avf4j.JavaPayloadException;
import io.github.avf4j.JavaPayloadException.Reason;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.base.GuestRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Adds to a Java runtime what it needs of its host and a guest lacks: libraries, as those of
 * distributions use the system's own of C++ and compression, and the locale with UTF-8, without
 * which Java takes arguments and names of files for ASCII.
 */
final class HostLibraries {
  private static final List<Path> FOLDERS =
      List.of(
          Path.of("/usr/lib", GuestArchitecture.host().multiarchName()),
          Path.of("/lib", GuestArchitecture.host().multiarchName()),
          Path.of("/usr/lib64"),
          Path.of("/lib64"),
          Path.of("/usr/lib"));

  private static final String LOCALE = "C.utf8";

  private HostLibraries() {}

  /**
   * Copies what is missing into the folder {@code lib} of the runtime, and the locale, if the host
   * has it, into {@code lib/locale}.
   *
   * @return the files of the host that were copied
   * @throws JavaPayloadException of the reason HOST if one is not found
   */
  static List<Path> addTo(Path runtime) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(runtime)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    Set<String> there = new HashSet<>(GuestRuntime.libraryNames(GuestArchitecture.host()));
    files.forEach(file -> there.add(file.getFileName().toString()));
    List<Path> copied = new ArrayList<>();
    List<Path> unseen = new ArrayList<>(files);
    while (!unseen.isEmpty()) {
      Path file = unseen.remove(unseen.size() - 1);
      for (String name : ElfLibraries.neededBy(file).orElse(List.of())) {
        if (there.add(name)) {
          Path source = find(name, file);
          Path target = runtime.resolve("lib").resolve(name);
          Files.copy(source, target);
          copied.add(source);
          unseen.add(target);
        }
      }
    }
    copied.addAll(addLocale(runtime.resolve("lib/locale").resolve(LOCALE)));
    return copied;
  }

  private static List<Path> addLocale(Path target) throws IOException {
    Path source = Path.of("/usr/lib/locale", LOCALE);
    List<Path> copied = new ArrayList<>();
    if (!Files.isDirectory(source)) {
      return copied;
    }
    try (Stream<Path> all = Files.walk(source)) {
      for (Path file : all.filter(Files::isRegularFile).sorted().toList()) {
        Path copy = target.resolve(source.relativize(file));
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
        copied.add(file);
      }
    }
    return copied;
  }

  private static Path find(String name, Path user) {
    Optional<Path> found =
        Path.of(name).getNameCount() != 1
            ? Optional.empty()
            : FOLDERS.stream()
                .map(folder -> folder.resolve(name))
                .filter(Files::isRegularFile)
                .findFirst();
    return found.orElseThrow(
        () ->
            new JavaPayloadException(
                Reason.HOST,
                "the Java runtime's %s needs %s, which is in none of %s: run with another JDK"
                    .formatted(user.getFileName(), name, FOLDERS),
                null));
  }
}
