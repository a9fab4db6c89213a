package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.HypervisorException;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.kvm.boot.Board;
import io.github.avf4j.kvm.boot.Platform;
import io.github.avf4j.kvm.boot.ProbeProgram;
import io.github.avf4j.kvm.ioctl.Kvm;
import io.github.avf4j.kvm.ioctl.KvmArm;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.linux.Errno;
import io.github.avf4j.spi.MachineSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntConsumer;

/** Machines on arm64, of which some hosts can protect the memory. Thread-safe. */
public final class Arm64Platform implements Platform {
  private static final Map<String, Integer> REQUIRED = new LinkedHashMap<>();
  private static final String MODE = "kvm-arm.mode=protected";

  static {
    REQUIRED.put("KVM_CAP_IRQCHIP", Kvm.KVM_CAP_IRQCHIP);
    REQUIRED.put("KVM_CAP_USER_MEMORY", Kvm.KVM_CAP_USER_MEMORY);
    REQUIRED.put("KVM_CAP_IRQFD", Kvm.KVM_CAP_IRQFD);
    REQUIRED.put("KVM_CAP_IOEVENTFD", Kvm.KVM_CAP_IOEVENTFD);
    REQUIRED.put("KVM_CAP_IMMEDIATE_EXIT", Kvm.KVM_CAP_IMMEDIATE_EXIT);
    REQUIRED.put("KVM_CAP_ONE_REG", KvmArm.KVM_CAP_ONE_REG);
    REQUIRED.put("KVM_CAP_DEVICE_CTRL", KvmArm.KVM_CAP_DEVICE_CTRL);
    REQUIRED.put("KVM_CAP_ARM_PSCI_0_2", KvmArm.KVM_CAP_ARM_PSCI_0_2);
  }

  @Override
  public String name() {
    return "arm64";
  }

  @Override
  public Map<String, Integer> requiredCapabilities() {
    return Collections.unmodifiableMap(REQUIRED);
  }

  @Override
  public Map<String, String> facts() {
    return Map.of(
        "processor", "arm64", "hypervisor mode", asksForProtectedMode() ? "protected" : "default");
  }

  @Override
  public String advice() {
    return "use a host whose kernel starts at exception level 2 and has KVM, or the backend qemu";
  }

  @Override
  public HostReport.Protection protection(ProtectionLevel level, KvmSystem system) {
    return switch (level) {
      case NONE -> new HostReport.Protection(level, true, "every machine can be unprotected", "");
      case SIMULATED ->
          new HostReport.Protection(
              level, true, "machines boot as protected ones do, without their isolation", "");
      case HARDWARE -> hardware(system);
    };
  }

  private static HostReport.Protection hardware(KvmSystem system) {
    int errno = system.probeVmType(Arm64Host.get().vmType(true));
    if (errno == 0) {
      return new HostReport.Protection(
          ProtectionLevel.HARDWARE, true, "KVM makes protected VMs (pKVM)", "");
    }
    return refusal(errno, asksForProtectedMode());
  }

  /** Returns why this host makes no protected VMs. */
  static HostReport.Protection refusal(int errno, boolean asked) {
    String refused = "KVM refuses to make a protected VM (" + Errno.describe(errno) + ")";
    return asked
        ? unavailable(
            refused + " although the hypervisor was asked to protect its guests",
            "use a kernel whose pKVM has protected guests, such as Linux 7.2 or Android's, and look"
                + " into the host's kernel log for \"kvm\"")
        : unavailable(
            refused + ": its hypervisor does not run in protected mode",
            "start the host with the kernel parameter " + MODE + " (Linux 7.2 or Android's)");
  }

  private static HostReport.Protection unavailable(String reason, String advice) {
    return new HostReport.Protection(ProtectionLevel.HARDWARE, false, reason, advice);
  }

  private static boolean asksForProtectedMode() {
    try {
      String parameters = Files.readString(Path.of("/proc/cmdline")).strip();
      return Arrays.asList(parameters.split("\\s+")).contains(MODE);
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Makes a VM.
   *
   * @throws BackendUnavailableException if it is to be protected and this host cannot do that
   */
  static KvmVm createVm(KvmSystem system, boolean isProtected) {
    try {
      return system.createVm(Arm64Host.get().vmType(isProtected));
    } catch (HypervisorException e) {
      if (isProtected && e.errno() == Errno.EINVAL) {
        HostReport.Protection refusal = refusal(e.errno(), asksForProtectedMode());
        throw new BackendUnavailableException(refusal.reason() + ": " + refusal.advice(), e);
      }
      throw e;
    }
  }

  @Override
  public Board board(MachineSpec spec) {
    return new Arm64Board(spec);
  }

  @Override
  public ProbeProgram probeProgram() {
    return Arm64Probe.PROGRAM;
  }

  @Override
  public Board probeBoard(IntConsumer report) {
    return new Arm64Probe(report);
  }
}
