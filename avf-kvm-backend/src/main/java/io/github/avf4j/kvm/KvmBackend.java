package io.github.avf4j.kvm;

import io.github.avf4j.HostReport;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.kvm.boot.Platform;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.spi.HypervisorBackend;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;

/** Makes machines on {@code /dev/kvm}. Found by {@link java.util.ServiceLoader}. Thread-safe. */
public final class KvmBackend implements HypervisorBackend {
  private static final int PRIORITY = 100;

  @Override
  public String name() {
    return "kvm";
  }

  @Override
  public int priority() {
    return PRIORITY;
  }

  @Override
  public HostReport.Backend probe() {
    return KvmProbe.run();
  }

  @Override
  public HostReport.Protection protection(ProtectionLevel level) {
    Platform platform = Platforms.require();
    try (KvmSystem system = KvmSystem.open()) {
      return platform.protection(level, system);
    }
  }

  @Override
  public Machine create(MachineSpec spec, MachineListener listener) {
    return KvmMachine.create(spec, listener);
  }
}
