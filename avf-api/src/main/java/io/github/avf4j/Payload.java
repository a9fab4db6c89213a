package io.github.avf4j;

import java.nio.file.Path;

/**
 * What a virtual machine runs.
 *
 * <p>Thread-safe.
 */
public sealed interface Payload permits ExecutablePayload, ApkPayload {
  /**
   * Returns a payload that is the static Linux executable {@code file}. The file is read when the
   * machine is run; a file that is no executable for the guest's processor is refused then.
   */
  static ExecutablePayload executable(Path file) {
    return ExecutablePayload.of(file);
  }

  /**
   * Returns a payload that is in the signed APK {@code file}: still without what of it runs, which
   * {@link ApkPayload#withBinaryName} or {@link ApkPayload#withConfigPath} says.
   */
  static ApkPayload apk(Path file) {
    return ApkPayload.of(file);
  }
}
