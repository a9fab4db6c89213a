package io.github.avf4j;

import io.github.avf4j.internal.Require;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A payload in an APK with a v3 signature, AVF's own kind; made by {@link Payload#apk(Path)}.
 *
 * <p>Either a native library of the APK runs, or what a configuration in the APK names. A
 * configuration also says how many {@link #withExtraApk extra APKs} and which {@link #withApex
 * APEXes} the payload needs; all of them must be given, because no file of the host is opened only
 * because a package names it. A library takes those that are given.
 *
 * <p>Thread-safe.
 */
public final class ApkPayload implements Payload {
  private static final Pattern APEX_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}");

  private final Path apk;
  private final @Nullable String binaryName;
  private final @Nullable String configPath;
  private final List<Path> extraApks;
  private final List<Apex> apexes;

  /**
   * A module that the guest activates for the payload.
   *
   * @param name the name in its manifest, under which the payload finds it in {@code /apex}
   * @param file its absolute path on the host
   */
  public record Apex(String name, Path file) {
    /**
     * Checks the name.
     *
     * @throws IllegalArgumentException if no module can have it
     */
    public Apex {
      if (!APEX_NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "the name of an APEX must have 1..200 letters, digits, '_', '.' or '-' but was \""
                + name
                + '"');
      }
    }
  }

  private ApkPayload(
      Path apk,
      @Nullable String binaryName,
      @Nullable String configPath,
      List<Path> extraApks,
      List<Apex> apexes) {
    this.apk = apk;
    this.binaryName = binaryName;
    this.configPath = configPath;
    this.extraApks = List.copyOf(extraApks);
    this.apexes = List.copyOf(apexes);
  }

  static ApkPayload of(Path apk) {
    return new ApkPayload(apk.toAbsolutePath(), null, null, List.of(), List.of());
  }

  /**
   * Returns this payload with the library that runs: {@code lib/ABI/NAME} of the APK, which must
   * export {@code AVmPayload_main}.
   *
   * @param name the library's file name, such as {@code libpayload.so}
   * @throws IllegalArgumentException if it is empty, a path, or has a NUL character
   */
  public ApkPayload withBinaryName(String name) {
    if (name.isEmpty() || name.indexOf('/') >= 0 || name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "the payload binary name must be a file name without '/' but was \"" + name + '"');
    }
    return new ApkPayload(apk, name, configPath, extraApks, apexes);
  }

  /**
   * Returns this payload with the configuration that says what runs.
   *
   * @param path of an entry of the APK, such as {@code assets/vm_config.json}
   * @throws IllegalArgumentException if it cannot be an entry's name
   */
  public ApkPayload withConfigPath(String path) {
    if (path.isEmpty() || path.startsWith("/") || path.endsWith("/") || path.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "the payload config path must be the name of a file in the APK, such as"
              + " assets/vm_config.json, but was \""
              + path
              + '"');
    }
    return new ApkPayload(apk, binaryName, path, extraApks, apexes);
  }

  /**
   * Returns this payload with one more APK, whose files the payload finds at {@code
   * /mnt/extra-apk/N}: the first at 0, the next at 1. A configuration must name as many in {@code
   * extra_apks}; it need not name them by the same paths.
   */
  public ApkPayload withExtraApk(Path file) {
    List<Path> more = new ArrayList<>(extraApks);
    more.add(file.toAbsolutePath());
    return new ApkPayload(apk, binaryName, configPath, more, apexes);
  }

  /**
   * Returns this payload with one more APEX, whose files the payload finds at {@code /apex/NAME}. A
   * configuration must name it in {@code apexes}. Nobody has to trust who signed it: its key is
   * part of what the machine's secrets and certificates depend on.
   *
   * @param name of the module, as its manifest has it
   * @throws IllegalArgumentException if no module can have this name, or there is one of this name
   */
  public ApkPayload withApex(String name, Path file) {
    if (apexes.stream().anyMatch(apex -> apex.name.equals(name))) {
      throw new IllegalArgumentException("there are two APEXes " + name + ": give each once");
    }
    List<Apex> more = new ArrayList<>(apexes);
    more.add(new Apex(name, file.toAbsolutePath()));
    return new ApkPayload(apk, binaryName, configPath, extraApks, more);
  }

  /**
   * Checks that it is said what runs, and said once.
   *
   * @throws IllegalStateException if not
   */
  public void requireComplete() {
    Require.state(
        binaryName != null || configPath != null,
        "the APK payload %s needs withBinaryName() or withConfigPath()",
        apk);
    Require.state(
        binaryName == null || configPath == null,
        "an APK payload must have either a binary name or a config path but has both, %s and %s",
        binaryName,
        configPath);
  }

  /** Returns the APK's absolute path on the host. */
  public Path apk() {
    return apk;
  }

  /** Returns the file name of the library that runs, unless a configuration says it. */
  public Optional<String> binaryName() {
    return Optional.ofNullable(binaryName);
  }

  /** Returns the configuration's name in the APK, unless a library is named. */
  public Optional<String> configPath() {
    return Optional.ofNullable(configPath);
  }

  /** Returns the absolute paths of the other APKs, in the order in which the guest mounts them. */
  public List<Path> extraApks() {
    return extraApks;
  }

  /** Returns the modules that the guest activates, in the order in which they were given. */
  public List<Apex> apexes() {
    return apexes;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ApkPayload that
        && apk.equals(that.apk)
        && Objects.equals(binaryName, that.binaryName)
        && Objects.equals(configPath, that.configPath)
        && extraApks.equals(that.extraApks)
        && apexes.equals(that.apexes);
  }

  @Override
  public int hashCode() {
    return Objects.hash(apk, binaryName, configPath, extraApks, apexes);
  }

  @Override
  public String toString() {
    return apk + "!" + (binaryName != null ? binaryName : configPath == null ? "" : configPath);
  }
}
