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
import java.util.stream.Collectors;
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
   * Chooses a backend: the one that is asked for, otherwise the best that runs any guest.
   *
   * @throws BackendUnavailableException if there is none; says why for each
   */
  Choice choose(Optional<String> asked) {
    Choice choice = asked.map(this::forced).orElseGet(this::best);
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

  private Choice forced(String name) {
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
    return new Choice(backend, "it was asked for; " + found.reason());
  }

  private Choice best() {
    List<HostReport.Backend> refused = new ArrayList<>();
    for (HypervisorBackend backend : backends) {
      HostReport.Backend found = look(backend);
      if (found.suitability() == Suitability.FULL) {
        return new Choice(backend, reason(found, refused));
      }
      refused.add(found);
    }
    refused.addAll(broken);
    throw new BackendUnavailableException(none(refused));
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
    return new HostReport(
        found, chosen.map(HostReport.Backend::name), choice, protection(chosen.isPresent()));
  }

  private static List<HostReport.Protection> protection(boolean any) {
    return List.of(
        new HostReport.Protection(
            ProtectionLevel.NONE,
            any,
            any ? "a backend runs machines here" : "no backend runs machines here",
            any ? "" : "follow the advice for one of the backends"),
        new HostReport.Protection(
            ProtectionLevel.SIMULATED,
            false,
            "this version does not have the boot flow of protected machines",
            "use protection level NONE"),
        new HostReport.Protection(
            ProtectionLevel.HARDWARE,
            false,
            "this version runs x86-64 guests only, and protected memory needs pKVM on arm64",
            "use protection level NONE"));
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

  private List<String> names() {
    return backends.stream().map(HypervisorBackend::name).sorted().toList();
  }
}
