package io.github.avf4j.microdroid.java;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.microdroid.payload.PackOptions;
import java.util.List;

/**
 * A Java class as a guest runs it. Immutable and thread-safe.
 *
 * @param apk with class path and command
 * @param apexes with the Java runtime, for {@link PackOptions#withApexes}
 */
public record PackedJavaPayload(ApkPayload apk, List<PackOptions.Apex> apexes) {
  /** Copies the list. */
  public PackedJavaPayload {
    apexes = List.copyOf(apexes);
  }
}
