package io.github.avf4j.kvm;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.HostReport.Suitability;
import io.github.avf4j.VirtualMachineException;
import io.github.avf4j.kvm.boot.Platform;
import io.github.avf4j.kvm.ioctl.Kvm;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out whether {@code /dev/kvm} is there and runs kernel-mode code on the processor itself.
 * What the probe guest did is kept for the life of the JVM; a device that does not open is tried
 * again each time. Thread-safe.
 */
final class KvmProbe {
  private static final Logger LOG = LoggerFactory.getLogger(KvmProbe.class);
  private static final Path SOFTWARE_MODULE = Path.of("/sys/module/kvm_pvm");
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private static HostReport.@Nullable Backend known;

  private KvmProbe() {}

  static synchronized HostReport.Backend run() {
    HostReport.Backend report = known;
    if (report == null) {
      report = probe();
      LOG.debug("{}", report);
      if (report.suitability() != Suitability.NONE) {
        known = report;
      }
    }
    return report;
  }

  private static HostReport.Backend probe() {
    Map<String, String> details = new LinkedHashMap<>();
    details.put("device", KvmSystem.DEVICE.toString());
    Optional<Platform> platform = Platforms.find();
    if (platform.isEmpty()) {
      return none(
          "this backend runs on x86-64 and arm64 only",
          "use the backend qemu on this machine",
          details);
    }
    return probe(platform.get(), details);
  }

  private static HostReport.Backend probe(Platform platform, Map<String, String> details) {
    details.putAll(platform.facts());
    boolean software = Files.exists(SOFTWARE_MODULE);
    if (software) {
      details.put("module", "kvm_pvm");
    }
    try (KvmSystem system = KvmSystem.open()) {
      details.put("api", Integer.toString(Kvm.API_VERSION));
      details.put("vcpus", Integer.toString(system.extension(Kvm.KVM_CAP_MAX_VCPUS)));
      KvmHost.of(system, platform);
    } catch (BackendUnavailableException e) {
      return unavailable(e, platform, details);
    }
    ProbeGuest.Result guest;
    try {
      guest = ProbeGuest.run(platform, TIMEOUT);
    } catch (VirtualMachineException e) {
      return unavailable(e, platform, details);
    }
    details.put("probe guest", guest.story());
    if (!guest.passed()) {
      return limited(
          "kernel-mode code does not run natively: the probe guest " + guest.story(),
          platform,
          details);
    }
    if (software) {
      return limited("it is served by kvm_pvm, which emulates kernel-mode code", platform, details);
    }
    return new HostReport.Backend(
        "kvm",
        Suitability.FULL,
        KvmSystem.DEVICE + " opens and runs 64-bit kernel-mode code natively",
        "",
        details);
  }

  private static HostReport.Backend limited(
      String reason, Platform platform, Map<String, String> details) {
    return new HostReport.Backend("kvm", Suitability.LIMITED, reason, platform.advice(), details);
  }

  /** The message of our exceptions ends with what to do, after the last colon. */
  private static HostReport.Backend unavailable(
      VirtualMachineException e, Platform platform, Map<String, String> details) {
    String message = String.valueOf(e.getMessage());
    int colon = message.lastIndexOf(": ");
    return colon < 0
        ? none(message, platform.advice(), details)
        : none(message.substring(0, colon), message.substring(colon + 2), details);
  }

  private static HostReport.Backend none(
      String reason, String advice, Map<String, String> details) {
    return new HostReport.Backend("kvm", Suitability.NONE, reason, advice, details);
  }
}
