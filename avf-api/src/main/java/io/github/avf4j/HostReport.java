package io.github.avf4j;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What this host can do and, for each thing that it cannot, why and what to do about it.
 *
 * <p>Thread-safe.
 *
 * @param backends every backend found, the one that is preferred first
 * @param chosen the name of the backend that machines run on unless they ask for another
 * @param choice why that one, or why none, in one sentence
 * @param protection for every protection level whether this host gives it
 */
public record HostReport(
    List<Backend> backends, Optional<String> chosen, String choice, List<Protection> protection) {

  /** Copies the lists. */
  public HostReport {
    backends = List.copyOf(backends);
    protection = List.copyOf(protection);
  }

  /** How well a backend runs machines here. */
  public enum Suitability {
    /** It runs any guest. */
    FULL,
    /** It opens and runs small guests, but not a stock Linux kernel. */
    LIMITED,
    /** It cannot be used. */
    NONE
  }

  /**
   * One hypervisor backend.
   *
   * @param name its name, {@code kvm} or {@code qemu}
   * @param suitability how well it runs machines
   * @param reason what was found, in one sentence
   * @param advice what to do about it, empty when nothing is to do
   * @param details facts by name, such as versions
   */
  public record Backend(
      String name,
      Suitability suitability,
      String reason,
      String advice,
      Map<String, String> details) {
    /** Copies the facts. */
    public Backend {
      details = Collections.unmodifiableMap(new LinkedHashMap<>(details));
    }
  }

  /**
   * Whether a protection level is there.
   *
   * @param level the level
   * @param available whether machines can have it
   * @param reason why or why not
   * @param advice what to do about it, empty when nothing is to do
   */
  public record Protection(
      ProtectionLevel level, boolean available, String reason, String advice) {}
}
