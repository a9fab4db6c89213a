package io.github.avf4j;

import io.github.avf4j.internal.Require;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A payload in an APK with a v3 signature, AVF's own kind; made by {@link Payload#apk(Path)}.
 *
 * <p>Either a native library of the APK runs, or what a configuration in the APK names. A
 * configuration also names what else it needs, so that {@link #withExtraApk extra APKs} go with a
 * library only.
 *
 * <p>Thread-safe.
 */
public final class ApkPayload implements Payload {
  private final Path apk;
  private final @Nullable String binaryName;
  private final @Nullable String configPath;
  private final List<Path> extraApks;

  private ApkPayload(
      Path apk, @Nullable String binaryName, @Nullable String configPath, List<Path> extraApks) {
    this.apk = apk;
    this.binaryName = binaryName;
    this.configPath = configPath;
    this.extraApks = List.copyOf(extraApks);
  }

  static ApkPayload of(Path apk) {
    return new ApkPayload(apk.toAbsolutePath(), null, null, List.of());
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
    return new ApkPayload(apk, name, configPath, extraApks);
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
    return new ApkPayload(apk, binaryName, path, extraApks);
  }

  /** Returns this payload with one more APK, whose files the payload may read. */
  public ApkPayload withExtraApk(Path file) {
    List<Path> more = new ArrayList<>(extraApks);
    more.add(file.toAbsolutePath());
    return new ApkPayload(apk, binaryName, configPath, more);
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
    Require.state(
        configPath == null || extraApks.isEmpty(),
        "extra APKs go with a binary name only: the config %s names its own",
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

  @Override
  public boolean equals(Object other) {
    return other instanceof ApkPayload that
        && apk.equals(that.apk)
        && Objects.equals(binaryName, that.binaryName)
        && Objects.equals(configPath, that.configPath)
        && extraApks.equals(that.extraApks);
  }

  @Override
  public int hashCode() {
    return Objects.hash(apk, binaryName, configPath, extraApks);
  }

  @Override
  public String toString() {
    return apk + "!" + (binaryName != null ? binaryName : configPath == null ? "" : configPath);
  }
}
