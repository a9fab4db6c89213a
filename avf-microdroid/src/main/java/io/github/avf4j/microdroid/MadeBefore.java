package io.github.avf4j.microdroid;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers from one JVM to the next which file of the cache was made of which files, so that these
 * need not be read again to find it: a kernel takes a second to digest in a cold JVM.
 *
 * <p>A memory that is damaged, or whose files have changed, is none.
 *
 * <p>Thread-safe.
 */
public final class MadeBefore {
  private static final Logger log = LoggerFactory.getLogger(MadeBefore.class);
  private static final String KIND = "made";
  private static final String HEADER = "avf4j made 1, sources ";
  private static final int MAX_SIZE = 1 << 16;

  private final CacheFolder cache;

  /**
   * A file of the cache and what it was made of.
   *
   * @param file the file
   * @param sources what it was made of, as it was then
   */
  public record Made(Path file, List<FileStamp> sources) {
    /** Returns whether the file is there and its sources are as they were. */
    public boolean isCurrent() {
      return Files.exists(file) && sources.stream().allMatch(FileStamp::isCurrent);
    }
  }

  /** Makes a memory of what is in {@code cache}. */
  public MadeBefore(CacheFolder cache) {
    this.cache = cache;
  }

  /** Returns what was made for {@code key}, if it is still current. */
  public Optional<Made> recall(String key) {
    Path file = cache.path(KIND, name(key));
    try {
      if (!Files.exists(file) || Files.size(file) > MAX_SIZE) {
        return Optional.empty();
      }
      List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
      if (lines.size() < 2 || !lines.get(0).equals(HEADER + (lines.size() - 2))) {
        return Optional.empty();
      }
      List<FileStamp> sources = new ArrayList<>();
      for (String line : lines.subList(2, lines.size())) {
        sources.add(FileStamp.parse(line));
      }
      return Optional.of(new Made(Path.of(lines.get(1)), sources)).filter(Made::isCurrent);
    } catch (IOException | IllegalArgumentException e) {
      log.debug("forgetting {}", file, e);
      return Optional.empty();
    }
  }

  /** Remembers what was made for {@code key}. */
  public void remember(String key, Made made) {
    List<String> lines =
        new ArrayList<>(List.of(HEADER + made.sources().size(), made.file().toString()));
    made.sources().forEach(source -> lines.add(source.format()));
    byte[] content = (String.join("\n", lines) + '\n').getBytes(StandardCharsets.UTF_8);
    cache.replace(KIND, name(key), out -> out.write(content));
  }

  private static String name(String key) {
    return CacheFolder.nameOf(key.getBytes(StandardCharsets.UTF_8));
  }
}
