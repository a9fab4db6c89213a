package io.github.avf4j.qemu;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.qemu.process.QemuBinary;
import io.github.avf4j.qemu.process.QemuProbe;
import io.github.avf4j.qemu.process.QemuUnavailableException;
import io.github.avf4j.spi.HypervisorBackend;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs machines in QEMU with software emulation, on any host that has a {@code qemu-system-x86_64}
 * of version 7.0 or later on its PATH or named by the system property {@code avf.qemu.binary}.
 *
 * <p>The kernel must be a bzImage or an ELF with a PVH entry; an ELF that has only a 64-bit entry
 * is refused. The command line gets {@code tsc_early_khz=…} in front, without which a kernel does
 * not boot reliably on a busy host.
 *
 * <p>A QEMU that was found good is kept for the life of the JVM. Thread-safe.
 */
public final class QemuBackend implements HypervisorBackend {
  private static final Object LOCK = new Object();

  /** Guarded by LOCK: the last QEMU found good, and the value of the property then. */
  private static @Nullable QemuBinary good;

  private static @Nullable String goodProperty;

  /** Makes the backend; QEMU is looked for when it is first needed. */
  public QemuBackend() {}

  @Override
  public String name() {
    return "qemu";
  }

  @Override
  public int priority() {
    return 10;
  }

  @Override
  public HostReport.Backend probe() {
    try {
      QemuBinary binary = find();
      Map<String, String> details = new LinkedHashMap<>();
      details.put("version", binary.version());
      details.put("path", binary.path().toString());
      if (binary.tscKilohertz() > 0) {
        details.put("tscKhz", Long.toString(binary.tscKilohertz()));
      }
      return new HostReport.Backend(
          name(),
          HostReport.Suitability.FULL,
          "QEMU " + binary.version() + " runs guests with software emulation",
          "",
          details);
    } catch (QemuUnavailableException e) {
      return new HostReport.Backend(
          name(), HostReport.Suitability.NONE, e.reason(), e.advice(), Map.of());
    }
  }

  @Override
  public Machine create(MachineSpec spec, MachineListener listener) {
    HostReport.Protection protection = protection(spec.protection());
    if (!protection.available() || spec.firmware().isPresent()) {
      throw new BackendUnavailableException(
          "the backend qemu makes neither protected machines nor ones with firmware: use the"
              + " backend kvm on an arm64 host");
    }
    QemuBinary binary;
    try {
      binary = find();
    } catch (QemuUnavailableException e) {
      throw new BackendUnavailableException(e.getMessage(), e);
    }
    return new QemuMachine(binary, spec, listener);
  }

  private static QemuBinary find() throws QemuUnavailableException {
    String property = System.getProperty(QemuProbe.BINARY_PROPERTY, "");
    synchronized (LOCK) {
      QemuBinary known = good;
      if (known == null || !property.equals(goodProperty)) {
        known = QemuProbe.run();
        good = known;
        goodProperty = property;
      }
      return known;
    }
  }
}
