package io.github.avf4j.microdroid.java;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.JavaPayloadException;
import io.github.avf4j.JavaPayloadException.Reason;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.MadeBefore;
import io.github.avf4j.microdroid.apex.ApexManifest;
import io.github.avf4j.microdroid.apex.ApexWriter;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;

/**
 * Java runtimes for guests: APEXes, signed with the {@link DevelopmentKey}, of modules of the JDK
 * that runs this process. One is made for each set of modules and kept in the cache folder; it is
 * made again when the JDK changes.
 *
 * <p>Thread-safe.
 */
final class JavaRuntime {
  /** The APEX, and its folder in the guest. */
  static final String NAME = "io.github.avf4j.java";

  /** Of the APEX's manifest: the version of Java. */
  static final long VERSION = Runtime.version().feature();

  /** Changes when the same JDK is packed in another way. */
  private static final String FORMAT = "java runtime 2";

  private static final String KIND = "java-runtime";
  private static final String CURVES = "jdk.crypto.ec";

  private final CacheFolder cache;
  private final MadeBefore before;
  private final Path home;

  private JavaRuntime(CacheFolder cache, Path home) {
    this.cache = cache;
    this.before = new MadeBefore(cache);
    this.home = home;
  }

  /** Of the JDK that runs this process. */
  static JavaRuntime ofProcess(CacheFolder cache) {
    return new JavaRuntime(cache, Path.of(System.getProperty("java.home")));
  }

  /** The module with elliptic curves, if the JDK has it. */
  static Optional<String> curves() {
    return ModuleFinder.ofSystem().find(CURVES).map(module -> module.descriptor().name());
  }

  /**
   * Returns the APEX with these modules and what they need.
   *
   * @throws JavaPayloadException if it cannot be made
   */
  Path apex(SortedSet<String> modules) {
    String key =
        String.join(
            "\n", FORMAT, home.toString(), Runtime.version().toString(), String.join(",", modules));
    // One at a time: jlink keeps two processors busy, and the second caller wants the same one.
    synchronized (JavaRuntime.class) {
      return before
          .recall(key)
          .orElseGet(
              () -> {
                MadeBefore.Made made = make(key, modules);
                before.remember(key, made);
                return made;
              })
          .file();
    }
  }

  private MadeBefore.Made make(String key, SortedSet<String> modules) {
    JavaImage.requireSuitable(home, modules);
    Scratch scratch = null;
    try {
      scratch = Scratch.create();
      Path image = scratch.file("image");
      JavaImage.link(modules, image);
      List<FileStamp> sources = new ArrayList<>();
      sources.add(stamp(home.resolve("lib/modules")));
      sources.add(stamp(home.resolve("lib/server/libjvm.so")));
      for (Path library : HostLibraries.addTo(image)) {
        sources.add(stamp(library));
      }
      JavaImage.archiveClasses(image, scratch.file("log"));
      Path apex = scratch.file("runtime.apex");
      new ApexWriter(ApexManifest.of(NAME, VERSION), DevelopmentKey.signer())
          .write(image, apex, Progress.NONE);
      String name = CacheFolder.nameOf(Digests.sha256(apex)) + ".apex";
      Path cached = cache.file(KIND, name, out -> Files.copy(apex, out));
      return new MadeBefore.Made(cached, sources);
    } catch (IOException | AttestationException | ImageException | InvalidImageException e) {
      throw new JavaPayloadException(
          Reason.PACKING,
          "no Java runtime can be made for the guest of %s: %s".formatted(home, e.getMessage()),
          e);
    } finally {
      Scratch.remove(scratch);
    }
  }

  private static FileStamp stamp(Path file) {
    return FileStamp.of(file, "part of the Java runtime", "use another JDK");
  }
}
