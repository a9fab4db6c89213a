package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborValue;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a device says of itself in a request, with the rules of hwtrust. Immutable and thread-safe.
 */
public final class DeviceInfo {
  private static final String AVF = "avf";

  /** Sorted, so that of several faults the same one is reported every time. */
  private static final SortedMap<String, String> AVF_VALUES =
      new TreeMap<>(
          Map.of(
              "brand", "aosp-avf",
              "manufacturer", "aosp-avf",
              "product", AVF,
              "model", AVF,
              "device", AVF,
              "vb_state", AVF,
              "bootloader_state", AVF));

  private static final Set<String> TEXTS =
      Set.of(
          "brand",
          "manufacturer",
          "product",
          "model",
          "device",
          "vb_state",
          "bootloader_state",
          "os_version",
          "security_level");
  private static final List<String> PATCH_LEVELS =
      List.of("system_patch_level", "boot_patch_level", "vendor_patch_level");
  private static final SortedMap<String, Set<String>> STATES =
      new TreeMap<>(
          Map.of(
              "vb_state", Set.of("green", "yellow", "orange", AVF),
              "bootloader_state", Set.of("locked", "unlocked", AVF),
              "security_level", Set.of("tee", "strongbox", AVF)));

  private final CborMap entries;

  private DeviceInfo(CborMap entries) {
    this.entries = entries;
  }

  /**
   * Checks an entry for entry.
   *
   * @param requestVersion 2 or 3
   * @param factory whether values of a finished device may be missing
   */
  static DeviceInfo parse(CborMap entries, int requestVersion, boolean factory) {
    DeviceInfo info = new DeviceInfo(entries);
    info.checkTypes(requestVersion);
    info.checkStates(factory);
    info.checkAvf();
    if (!factory && !info.isAvf()) {
      info.checkComplete();
    }
    return info;
  }

  private void checkTypes(int requestVersion) {
    for (CborMap.Entry entry : entries.entries()) {
      String key = entry.key().asText();
      CborValue value = entry.value();
      if (TEXTS.contains(key)) {
        value.asText();
      } else if (key.equals("vbmeta_digest")) {
        value.asBytes();
      } else if (PATCH_LEVELS.contains(key) || key.equals("fused") || key.equals("version")) {
        if (value.asLong() < 0 || value.asLong() > 0xffffffffL) {
          throw fault(key + " must be a number of 32 bits", value);
        }
      } else {
        throw fault("device info has the unknown key \"" + key + "\"", entry.key());
      }
    }
    boolean right =
        requestVersion == 3
            ? entries.get("version").isEmpty()
            : entries.require("version").asInteger().is(2);
    if (!right) {
      throw fault("device info must say version 2 in requests of version 2 only", entries);
    }
    entries.require("fused");
  }

  private void checkStates(boolean factory) {
    STATES.forEach(
        (key, allowed) ->
            text(key)
                .map(value -> value.toLowerCase(Locale.ROOT))
                .filter(value -> !allowed.contains(value))
                .filter(value -> !(factory && value.equals("factory")))
                .ifPresent(
                    value -> {
                      throw fault(
                          key + " is not one of " + allowed.stream().sorted().toList(), entries);
                    }));
  }

  private void checkAvf() {
    boolean avf = isAvf();
    AVF_VALUES.forEach(
        (key, expected) -> {
          boolean same = text(key).map(value -> sameValue(key, value, expected)).orElse(false);
          if (same != avf) {
            throw fault(
                avf
                    ? key + " must be \"" + expected + "\" at security level avf"
                    : key + " must not be \"" + expected + "\" but at security level avf",
                entries);
          }
        });
  }

  private static boolean sameValue(String key, String value, String expected) {
    return STATES.containsKey(key) ? value.equalsIgnoreCase(expected) : value.equals(expected);
  }

  private void checkComplete() {
    Stream.of("brand", "manufacturer", "product", "model", "device", "vb_state", "bootloader_state")
        .filter(key -> text(key).filter(value -> !value.isEmpty()).isEmpty())
        .findFirst()
        .ifPresent(
            key -> {
              throw fault(key + " is missing or empty", entries);
            });
    if (entries.require("fused").asLong() > 1) {
      throw fault("fused must be 0 or 1", entries);
    }
    if (text("security_level").filter("tee"::equalsIgnoreCase).isPresent()
        && text("os_version").filter(value -> !value.isEmpty()).isEmpty()) {
      throw fault("os_version is missing or empty, which security level tee needs", entries);
    }
    ByteSlice digest = entries.require("vbmeta_digest").asBytes();
    if (digest.isAllZero()) {
      throw fault("vbmeta_digest must not be all zeros", entries);
    }
    PATCH_LEVELS.forEach(key -> checkDate(key, entries.require(key)));
  }

  /** A patch level is a date as decimal digits, with or without the day. */
  private static void checkDate(String key, CborValue value) {
    long level = value.asLong();
    long day = level < 1_000_000 ? level * 100 + 1 : level;
    try {
      if (day < 1_000_01_01 || day > 9999_12_31) {
        throw new DateTimeException("not of 6 or 8 digits");
      }
      LocalDate.of((int) (day / 10000), (int) (day / 100 % 100), (int) (day % 100));
    } catch (DateTimeException e) {
      throw new RemoteAttestationException(
          key + " must be YYYYMM or YYYYMMDD but is " + level, value.position(), e);
    }
  }

  /** Whether this is the service VM of AVF. */
  public boolean isAvf() {
    return text("security_level").filter(AVF::equalsIgnoreCase).isPresent();
  }

  /** The value of a key with text. */
  public Optional<String> text(String key) {
    return TEXTS.contains(key) ? entries.get(key).map(CborValue::asText) : Optional.empty();
  }

  /** All entries. */
  public CborMap entries() {
    return entries;
  }

  private static RemoteAttestationException fault(String reason, CborValue where) {
    return new RemoteAttestationException(reason, where.position());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof DeviceInfo that && entries.equals(that.entries);
  }

  @Override
  public int hashCode() {
    return entries.hashCode();
  }

  @Override
  public String toString() {
    return "DeviceInfo["
        + text("brand").orElse("no brand")
        + ", "
        + text("device").orElse("no device")
        + "]";
  }
}
