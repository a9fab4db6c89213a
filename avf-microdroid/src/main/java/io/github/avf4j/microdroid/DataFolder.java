package io.github.avf4j.microdroid;

import java.nio.file.Path;

/** The user's folder for what cannot be made again, such as the secret of this device. */
public final class DataFolder {
  private DataFolder() {}

  /** Returns {@code $XDG_DATA_HOME/avf4j}, or {@code ~/.local/share/avf4j} if that is not set. */
  public static Path ofUser() {
    String configured = System.getenv("XDG_DATA_HOME");
    Path data =
        configured == null || configured.isBlank()
            ? Path.of(System.getProperty("user.home"), ".local", "share")
            : Path.of(configured);
    return data.resolve("avf4j").toAbsolutePath();
  }
}
