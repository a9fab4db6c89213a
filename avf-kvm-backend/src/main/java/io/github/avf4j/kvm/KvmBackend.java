package io.github.avf4j.kvm;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
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
  public Machine create(MachineSpec spec, MachineListener listener) {
    if (!isSupportedProcessor()) {
      throw new BackendUnavailableException(
          "the backend kvm runs on x86-64 only: use the backend qemu on this machine");
    }
    return KvmMachine.create(spec, listener);
  }

  static boolean isSupportedProcessor() {
    return "amd64".equals(System.getProperty("os.arch"));
  }
}
