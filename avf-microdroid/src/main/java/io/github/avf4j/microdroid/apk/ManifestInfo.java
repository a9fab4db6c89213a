package io.github.avf4j.microdroid.apk;

/**
 * What the manifest says about the package; part of the payload's DICE node.
 *
 * @param packageName the package, empty where the manifest has none
 * @param versionCode {@code versionCodeMajor << 32 | versionCode}, absent ones as 0; an unsigned
 *     number
 */
public record ManifestInfo(String packageName, long versionCode) {
  /** What counts where a manifest cannot be read. */
  public static final ManifestInfo UNKNOWN = new ManifestInfo("", 0);
}
