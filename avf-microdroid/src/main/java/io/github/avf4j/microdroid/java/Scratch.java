package io.github.avf4j.microdroid.java;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A folder for files on their way, for the owner only. Thread-safe. */
record Scratch(Path folder) {
  private static final Logger log = LoggerFactory.getLogger(Scratch.class);

  static Scratch create() throws IOException {
    return new Scratch(Files.createTempDirectory("avf4j-java-"));
  }

  Path file(String name) {
    return folder.resolve(name);
  }

  /** Removes all of it; what cannot be removed is left to the system. */
  static void remove(@Nullable Scratch scratch) {
    if (scratch == null) {
      return;
    }
    try {
      Files.walkFileTree(
          scratch.folder(),
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
                throws IOException {
              Files.delete(folder);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      log.debug("cannot remove {}", scratch.folder(), e);
    }
  }
}
