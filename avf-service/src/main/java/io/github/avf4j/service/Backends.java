package io.github.avf4j.service;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.HostReport.Suitability;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.spi.HypervisorBackend;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hypervisors of this host, and which of them a machine gets.
 *
 * <p>Thread-safe.
 */
final class Backends {
  private static final Logger log = LoggerFactory.getLogger(Backends.class);

  private final List<HypervisorBackend> backends;

  /** Backends that cannot even be loaded. */
  private final List<HostReport.Backend> broken;

  /** What was found usable; what was not is looked at again, as the user may have mended it. */
  private final Map<String, HostReport.Backend> usable = new ConcurrentHashMap<>();

  private final AtomicReference<String> told = new AtomicReference<>("");

  /**
   * A backend for a machine.
   *
   * @param backend the backend
   * @param reason why this one
   */
  record Choice(HypervisorBackend backend, String reason) {
    @Override
    public String toString() {
      return backend.name() + ": " + reason;
    }
  }

  Backends(List<HypervisorBackend> backends, List<HostReport.Backend> broken) {
    this.backends =
        backends.stream()
            .sorted(Comparator.comparingInt(HypervisorBackend::priority).reversed())
            .toList();
    this.broken = List.copyOf(broken);
  }

  /** Finds the backends on the class or module path. */
  static Backends installed() {
    List<HypervisorBackend> found = new ArrayList<>();
    List<HostReport.Backend> broken = new ArrayList<>();
    ServiceLoader.load(HypervisorBackend.class, Backends.class.getClassLoader()).stream()
        .forEach(
            provider -> {
              try {
                found.add(provider.get());
              } catch (ServiceConfigurationError | LinkageError e) {
                log.warn(
                    "backend {} cannot be loaded: {}", provider.type().getName(), e.toString());
                log.debug("where it failed", e);
                broken.add(
                    new HostReport.Backend(
                        provider.type().getSimpleName(),
                        Suitability.NONE,
                        "it cannot be loaded: " + e,
                        "check that all jars of avf4j have the same version",
                        Map.of()));
              }
            });
    return new Backends(found, broken);
  }

  /**
   * Chooses a backend: the one that is asked for, otherwise the best that runs any guest and gives
   * the protection level. No other level is ever taken instead.
   *
   * @throws BackendUnavailableException if there is none; says why for each
   */
  Choice choose(Optional<String> asked, ProtectionLevel level) {
    Choice choice = asked.map(name -> forced(name, level)).orElseGet(() -> best(level));
    tell(choice.toString());
    return choice;
  }

  /** Says it once, and again when it changes: a program may run thousands of machines. */
  private void tell(String choice) {
    if (choice.equals(told.getAndSet(choice))) {
      log.debug("a machine runs on {}", choice);
    } else {
      log.info("machines run on {}", choice);
    }
  }

  private Choice forced(String name, ProtectionLevel level) {
    HypervisorBackend backend =
        backends.stream()
            .filter(candidate -> candidate.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new BackendUnavailableException(
                        "there is no backend \"" + name + "\": choose one of " + names()));
    HostReport.Backend found = look(backend);
    if (found.suitability() == Suitability.NONE) {
      throw new BackendUnavailableException(sentence(found));
    }
    HostReport.Protection protection = backend.protection(level);
    if (!protection.available()) {
      throw new BackendUnavailableException(
          notProtected(level, List.of(sentence(name, protection))));
    }
    return new Choice(backend, "it was asked for; " + found.reason());
  }

  private Choice best(ProtectionLevel level) {
    List<HostReport.Backend> refused = new ArrayList<>();
    List<String> unprotected = new ArrayList<>();
    for (HypervisorBackend backend : backends) {
      HostReport.Backend found = look(backend);
      if (found.suitability() != Suitability.FULL) {
        refused.add(found);
        unprotected.add(sentence(found));
        continue;
      }
      HostReport.Protection protection = backend.protection(level);
      if (protection.available()) {
        return new Choice(backend, reason(found, refused));
      }
      unprotected.add(sentence(backend.name(), protection));
    }
    refused.addAll(broken);
    throw new BackendUnavailableException(
        level == ProtectionLevel.NONE ? none(refused) : notProtected(level, unprotected));
  }

  private static String notProtected(ProtectionLevel level, List<String> why) {
    return "protection level "
        + level
        + " is not available: "
        + (why.isEmpty() ? "no hypervisor backend was found" : String.join("; ", why))
        + "; level NONE keeps the guest from the host, but not the host from the guest";
  }

  private HostReport.Backend look(HypervisorBackend backend) {
    HostReport.Backend known = usable.get(backend.name());
    return known != null ? known : probe(backend);
  }

  private HostReport.Backend probe(HypervisorBackend backend) {
    HostReport.Backend found;
    try {
      found = backend.probe();
    } catch (RuntimeException | LinkageError e) {
      log.warn("the probe of backend {} failed: {}", backend.name(), e.toString());
      log.debug("where it failed", e);
      found =
          new HostReport.Backend(
              backend.name(),
              Suitability.NONE,
              "its probe failed: " + e,
              "report this with the log",
              Map.of());
    }
    if (found.suitability() == Suitability.NONE) {
      usable.remove(backend.name());
    } else {
      usable.put(backend.name(), found);
    }
    return found;
  }

  /** Probes all of them anew. */
  HostReport report() {
    List<HostReport.Backend> found = new ArrayList<>();
    List<HostReport.Backend> refused = new ArrayList<>();
    Optional<HostReport.Backend> chosen = Optional.empty();
    for (HypervisorBackend backend : backends) {
      HostReport.Backend report = probe(backend);
      found.add(report);
      if (chosen.isEmpty()) {
        if (report.suitability() == Suitability.FULL) {
          chosen = Optional.of(report);
        } else {
          refused.add(report);
        }
      }
    }
    found.addAll(broken);
    String choice = chosen.map(backend -> reason(backend, refused)).orElseGet(() -> none(found));
    List<HostReport.Protection> protection =
        Stream.of(ProtectionLevel.values()).map(level -> protection(level, found)).toList();
    return new HostReport(found, chosen.map(HostReport.Backend::name), choice, protection);
  }

  /** What the best backend says that gives the level, else what all of them say. */
  private HostReport.Protection protection(
      ProtectionLevel level, List<HostReport.Backend> reports) {
    List<HostReport.Protection> refusals = new ArrayList<>();
    for (HypervisorBackend backend : backends) {
      boolean usable =
          reports.stream()
              .anyMatch(
                  report ->
                      report.name().equals(backend.name())
                          && report.suitability() == Suitability.FULL);
      if (usable) {
        HostReport.Protection protection = backend.protection(level);
        if (protection.available()) {
          return protection;
        }
        refusals.add(protection);
      }
    }
    if (refusals.isEmpty()) {
      return new HostReport.Protection(
          level,
          false,
          "no backend runs machines here",
          "follow the advice for one of the backends");
    }
    return new HostReport.Protection(
        level,
        false,
        join(refusals, HostReport.Protection::reason),
        join(refusals, HostReport.Protection::advice));
  }

  private static String join(
      List<HostReport.Protection> refusals, Function<HostReport.Protection, String> text) {
    return refusals.stream().map(text).distinct().collect(Collectors.joining("; "));
  }

  private static String reason(HostReport.Backend chosen, List<HostReport.Backend> refused) {
    String others =
        refused.stream()
            .map(other -> "; not " + other.name() + ": " + other.reason())
            .collect(Collectors.joining());
    return chosen.reason() + others;
  }

  private String none(List<HostReport.Backend> refused) {
    if (refused.isEmpty()) {
      return "no hypervisor backend was found: add the dependency io.github.avf4j:avf-kvm-backend or"
          + " io.github.avf4j:avf-qemu-backend";
    }
    return refused.stream()
        .map(Backends::sentence)
        .collect(Collectors.joining("; ", "no hypervisor can run machines here: ", ""));
  }

  private static String sentence(HostReport.Backend backend) {
    return backend.name()
        + ": "
        + backend.reason()
        + (backend.advice().isEmpty() ? "" : " (" + backend.advice() + ")");
  }

  private static String sentence(String name, HostReport.Protection protection) {
    return name
        + ": "
        + protection.reason()
        + (protection.advice().isEmpty() ? "" : " (" + protection.advice() + ")");
  }

  private List<String> names() {
    return backends.stream().map(HypervisorBackend::name).sorted().toList();
  }
}
