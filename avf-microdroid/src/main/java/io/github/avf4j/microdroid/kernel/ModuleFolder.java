package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The modules of one kernel, as in {@code /lib/modules/RELEASE}, as they were when it was opened.
 *
 * <p>Thread-safe.
 */
public final class ModuleFolder {
  private static final int MAX_DEPTH = 24;

  private final Path folder;
  private final Map<String, Path> files;
  private final Set<String> builtin;

  private ModuleFolder(Path folder, Map<String, Path> files, Set<String> builtin) {
    this.folder = folder;
    this.files = files;
    this.builtin = builtin;
  }

  /**
   * Lists the modules of {@code folder} without reading them; takes milliseconds per thousand.
   *
   * @throws InvalidImageException if it is no readable folder
   */
  public static ModuleFolder open(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new InvalidImageException(
          "the kernel's module folder "
              + folder
              + " does not exist: give the folder lib/modules/RELEASE of the kernel, or run"
              + " bin/setup to fetch a kernel with its modules");
    }
    Map<String, Path> files = new HashMap<>();
    Set<String> builtin = new HashSet<>();
    try (Stream<Path> found = Files.walk(folder, MAX_DEPTH)) {
      // Sorted, so that of two files of one name the same one is always taken.
      found
          .filter(ModuleNames::isModule)
          .sorted()
          .forEach(file -> files.putIfAbsent(ModuleNames.ofFile(file), file));
      Path list = folder.resolve("modules.builtin");
      if (Files.exists(list)) {
        for (String line : Files.readString(list, StandardCharsets.ISO_8859_1).split("\n")) {
          if (!line.isBlank()) {
            builtin.add(ModuleNames.ofFile(Path.of(line.strip())));
          }
        }
      }
    } catch (IOException | UncheckedIOException e) {
      throw new InvalidImageException(
          "the kernel's module folder "
              + folder
              + " cannot be read ("
              + e
              + "): check its"
              + " permissions",
          e);
    }
    return new ModuleFolder(folder, files, builtin);
  }

  /**
   * Returns the modules of those names and all that they depend on, each after what it needs. What
   * is built into the kernel is left out; in a folder without any module everything counts as built
   * in.
   *
   * @throws InvalidImageException if a module is missing or damaged, or depends on itself
   */
  public List<KernelModule> resolve(List<String> names) {
    Map<String, KernelModule> resolved = new LinkedHashMap<>();
    for (String name : names) {
      resolve(ModuleNames.normalize(name), "the guest", new LinkedHashSet<>(), resolved);
    }
    return new ArrayList<>(resolved.values());
  }

  private boolean isBuiltin(String name) {
    return builtin.contains(ModuleNames.normalize(name)) || (files.isEmpty() && builtin.isEmpty());
  }

  private void resolve(
      String name, String wantedBy, Set<String> path, Map<String, KernelModule> resolved) {
    if (resolved.containsKey(name)) {
      return;
    }
    Optional<Path> file = find(name, wantedBy);
    if (file.isEmpty()) {
      return;
    }
    if (!path.add(name)) {
      throw new InvalidImageException(
          "the kernel modules "
              + String.join(", ", path)
              + " of "
              + folder
              + " depend on each other in a circle: install the kernel again");
    }
    KernelModule module = KernelModule.read(file.get());
    for (String dependency : module.depends()) {
      resolve(dependency, "its module " + name, path, resolved);
    }
    path.remove(name);
    resolved.put(name, module);
  }

  private Optional<Path> find(String name, String wantedBy) {
    Path file = files.get(name);
    if (file != null) {
      return Optional.of(file);
    }
    if (isBuiltin(name)) {
      return Optional.empty();
    }
    throw new InvalidImageException(
        "the kernel module "
            + name
            + ", which "
            + wantedBy
            + " needs, is neither in "
            + folder
            + " nor built into the kernel: use a kernel with virtio drivers, such as the one that"
            + " bin/setup fetches");
  }

  /**
   * Returns those of the modules that are here, and all that they depend on; what is neither here
   * nor built in is left out, too.
   *
   * @throws InvalidImageException if a module is damaged, lacks what it depends on, or depends on
   *     itself
   */
  public List<KernelModule> resolveAvailable(List<String> names) {
    return resolve(
        names.stream().filter(name -> files.containsKey(ModuleNames.normalize(name))).toList());
  }
}
