package io.github.avf4j.microdroid.java;

import io.github.avf4j.JavaPayloadException;
import io.github.avf4j.JavaPayloadException.Reason;
import io.github.avf4j.microdroid.GuestArchitecture;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The folder of a small Java runtime, by the JDK's own tools. */
final class JavaImage {
  private static final Logger log = LoggerFactory.getLogger(JavaImage.class);
  private static final int ARCHIVE_SECONDS = 120;

  private JavaImage() {}

  /**
   * Checks that this process's Java runtime can run in a guest, and has the modules.
   *
   * @throws JavaPayloadException if not
   */
  static void requireSuitable(Path home, SortedSet<String> modules) {
    String name = System.getProperty("os.name");
    String processor = System.getProperty("os.arch");
    if (!name.equals("Linux") || GuestArchitecture.ofJvm(processor).isEmpty() || !usesGlibc(home)) {
      throw new JavaPayloadException(
          Reason.HOST,
          ("a guest runs the Java runtime of its host, which must be one for Linux with glibc on"
                  + " x86-64 or arm64, but %s is for %s on %s: run with such a JDK")
              .formatted(home, name, processor),
          null);
    }
    for (String module : modules) {
      if (ModuleFinder.ofSystem().find(module).isEmpty()) {
        throw new JavaPayloadException(
            Reason.MODULE,
            "the module %s is not in %s: run with a JDK that has it".formatted(module, home),
            null);
      }
    }
  }

  private static boolean usesGlibc(Path home) {
    try {
      return ElfLibraries.neededBy(home.resolve("lib/libjava.so"))
          .filter(libraries -> libraries.contains("libc.so.6"))
          .isPresent();
    } catch (IOException e) {
      log.debug("cannot read the runtime at {}", home, e);
      return false;
    }
  }

  /**
   * Makes a runtime with these modules.
   *
   * @throws JavaPayloadException of the reason JDK if there is no jlink, or it fails
   */
  static void link(SortedSet<String> modules, Path image) {
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(
                () ->
                    new JavaPayloadException(
                        Reason.JDK,
                        "the Java runtime %s has no jlink: run with a JDK, such as Debian's package openjdk-17-jdk-headless"
                            .formatted(System.getProperty("java.home")),
                        null));
    StringWriter said = new StringWriter();
    PrintWriter out = new PrintWriter(said);
    // Without the debug attributes of the JDK's own classes; its native code has no symbols to
    // strip.
    int code =
        jlink.run(
            out,
            out,
            "--add-modules",
            String.join(",", modules),
            "--strip-java-debug-attributes",
            "--no-header-files",
            "--no-man-pages",
            "--output",
            image.toString());
    if (code != 0) {
      throw new JavaPayloadException(
          Reason.JDK,
          ("jlink of %s made no runtime with %s (%s): if it lacks jmods, install the complete JDK,"
                  + " such as Debian's package openjdk-17-jdk-headless")
              .formatted(System.getProperty("java.home"), modules, said.toString().strip()),
          null);
    }
  }

  /**
   * Adds an archive of loaded classes, by which Java starts in half the time. Where that fails, the
   * runtime works without.
   */
  static void archiveClasses(Path image, Path output) throws IOException {
    // The archive remembers the time of this file, and all files of an APEX have this one.
    Files.setLastModifiedTime(image.resolve("lib/modules"), FileTime.fromMillis(0));
    ProcessBuilder dump =
        new ProcessBuilder(
            List.of(
                image.resolve("bin/java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:dump"));
    dump.environment().put("LD_LIBRARY_PATH", image.resolve("lib").toString());
    dump.environment().keySet().removeIf(name -> name.toUpperCase(Locale.ROOT).contains("JAVA"));
    Process process = dump.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    try {
      if (!process.waitFor(ARCHIVE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        log.debug("no archive of classes: {}", Files.readString(output));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      process.destroyForcibly();
    }
  }
}
