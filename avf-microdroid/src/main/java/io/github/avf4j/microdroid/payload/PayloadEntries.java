package io.github.avf4j.microdroid.payload;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import io.github.avf4j.microdroid.report.GuestText;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Tells whether an APK has what shall run of it. */
final class PayloadEntries {
  private static final int MAX_NAMES = 20;

  private PayloadEntries() {}

  /**
   * Checks that the library or the configuration is there.
   *
   * @throws PackException if not; its message names what is there instead
   */
  static void check(ApkPayload payload, VerifiedApk apk, GuestArchitecture architecture) {
    payload.binaryName().ifPresent(name -> checkBinary(payload, apk, architecture, name));
    payload.configPath().ifPresent(path -> checkConfig(payload, apk, path));
  }

  private static void checkBinary(
      ApkPayload payload, VerifiedApk apk, GuestArchitecture architecture, String binaryName) {
    String library = architecture.libraryFolder() + binaryName;
    if (!apk.entries().contains(library)) {
      throw new PackException(
          PackError.BINARY,
          "the APK %s has no %s; %s: name one of %s, or build the library for %s"
              .formatted(
                  payload.apk(),
                  library,
                  those(
                      apk,
                      "native libraries",
                      name -> name.startsWith("lib/") && name.endsWith(".so")),
                  architecture.libraryFolder(),
                  architecture));
    }
  }

  private static void checkConfig(ApkPayload payload, VerifiedApk apk, String configPath) {
    if (!apk.entries().contains(configPath)) {
      throw new PackException(
          PackError.CONFIG,
          "the APK %s has no %s; %s: name one that says what runs"
              .formatted(
                  payload.apk(),
                  configPath,
                  those(apk, "JSON files", name -> name.endsWith(".json"))));
    }
  }

  private static String those(VerifiedApk apk, String what, Predicate<String> which) {
    List<String> names = apk.entries().stream().filter(which).sorted().toList();
    if (names.isEmpty()) {
      return "it has no " + what;
    }
    String more =
        names.size() > MAX_NAMES ? " and %d more".formatted(names.size() - MAX_NAMES) : "";
    return names.stream()
        .limit(MAX_NAMES)
        .map(GuestText::oneLine)
        .collect(Collectors.joining(", ", "its " + what + " are ", more));
  }
}
