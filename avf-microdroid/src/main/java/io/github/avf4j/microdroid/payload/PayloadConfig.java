package io.github.avf4j.microdroid.payload;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.ApkPayload.Apex;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.report.GuestText;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a configuration in an APK, such as {@code assets/vm_config.json}, asks of the host.
 * Immutable and thread-safe.
 *
 * <p>Keys, as in AVF:
 *
 * <ul>
 *   <li>{@code os}: its name must be empty or {@code microdroid};
 *   <li>{@code task}: what runs, of the type {@code executable} or {@code microdroid_launcher};
 *   <li>{@code extra_apks}: counted; their paths are not opened;
 *   <li>{@code apexes}: by name; {@code {CLASSPATH}} is refused, because a host of ours has none;
 *   <li>{@code enable_authfs}: refused if true, because the guest has no authfs;
 *   <li>{@code hugepages}: the KVM backend asks the host for transparent huge pages;
 *   <li>{@code prefer_staged}, {@code export_tombstones}: without effect, because the caller gives
 *       the APEX files and nobody collects tombstones.
 * </ul>
 *
 * <p>Other keys are ignored.
 *
 * @param task what runs
 * @param extraApks paths for people
 * @param apexes names of modules, no two the same
 * @param hugepages whether the guest's memory should be in huge pages
 */
record PayloadConfig(Task task, List<String> extraApks, List<String> apexes, boolean hugepages) {
  /** As many bytes as the guest reads. */
  static final int MAX_SIZE = 1 << 20;

  /** As many as the guest takes. */
  static final int MAX_EXTRA_APKS = 64;

  /** More than a payload disk has partitions. */
  static final int MAX_APEXES = 128;

  /** How a program is started. */
  enum TaskType {
    /** A program of the guest. */
    EXECUTABLE,
    /** A library of the APK, by {@code microdroid_launcher}. */
    MICRODROID_LAUNCHER
  }

  /**
   * What runs.
   *
   * @param type how
   * @param command an absolute path in the guest, or the file name of a library
   */
  record Task(TaskType type, String command) {}

  /** Copies the lists. */
  PayloadConfig {
    extraApks = List.copyOf(extraApks);
    apexes = List.copyOf(apexes);
  }

  /**
   * Reads a configuration.
   *
   * @throws PackException of the error CONFIG if it cannot be honoured; the message names the field
   *     and its value
   */
  static PayloadConfig read(ApkPayload payload, ByteSlice content) {
    try {
      return PayloadConfigReader.read(content);
    } catch (IllegalArgumentException e) {
      throw refused(payload, String.valueOf(e.getMessage()) + ": build the APK with another one");
    }
  }

  /**
   * Checks that the caller gave what the configuration names.
   *
   * @throws PackException of the error CONFIG if not
   */
  void requireGiven(ApkPayload payload) {
    int given = payload.extraApks().size();
    if (given != extraApks.size()) {
      throw refused(
          payload,
          "\"extra_apks\" names %d (%s) but %d were given: give each with withExtraApk(), in this order"
              .formatted(extraApks.size(), words(extraApks), given));
    }
    Set<String> names =
        payload.apexes().stream().map(Apex::name).collect(Collectors.toCollection(TreeSet::new));
    Set<String> missing = new TreeSet<>(apexes);
    missing.removeAll(names);
    if (!missing.isEmpty()) {
      throw refused(
          payload,
          "\"apexes\" names %s, which were not given: give each with withApex()"
              .formatted(words(missing)));
    }
    apexes.forEach(names::remove);
    if (!names.isEmpty()) {
      throw refused(
          payload,
          "\"apexes\" does not name %s, which were given: leave them out, or name them there"
              .formatted(words(names)));
    }
  }

  private static String words(Iterable<String> names) {
    StringBuilder words = new StringBuilder();
    for (String name : names) {
      words.append(words.isEmpty() ? "" : ", ").append(GuestText.oneLine(name));
    }
    return words.isEmpty() ? "none" : words.toString();
  }

  private static PackException refused(ApkPayload payload, String what) {
    return new PackException(
        PackError.CONFIG,
        "the configuration %s of the APK %s cannot be used: %s"
            .formatted(payload.configPath().orElseThrow(), payload.apk(), what));
  }
}
