package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.kvm.boot.Board;
import io.github.avf4j.kvm.boot.Platform;
import io.github.avf4j.kvm.boot.ProbeProgram;
import io.github.avf4j.kvm.ioctl.Kvm;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.spi.MachineSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntConsumer;

/** Machines on x86-64. Thread-safe. */
public final class X86Platform implements Platform {
  private static final Map<String, Integer> REQUIRED = new LinkedHashMap<>();

  static {
    REQUIRED.put("KVM_CAP_IRQCHIP", Kvm.KVM_CAP_IRQCHIP);
    REQUIRED.put("KVM_CAP_USER_MEMORY", Kvm.KVM_CAP_USER_MEMORY);
    REQUIRED.put("KVM_CAP_SET_TSS_ADDR", Kvm.KVM_CAP_SET_TSS_ADDR);
    REQUIRED.put("KVM_CAP_EXT_CPUID", Kvm.KVM_CAP_EXT_CPUID);
    REQUIRED.put("KVM_CAP_IRQFD", Kvm.KVM_CAP_IRQFD);
    REQUIRED.put("KVM_CAP_PIT2", Kvm.KVM_CAP_PIT2);
    REQUIRED.put("KVM_CAP_IOEVENTFD", Kvm.KVM_CAP_IOEVENTFD);
    REQUIRED.put("KVM_CAP_IMMEDIATE_EXIT", Kvm.KVM_CAP_IMMEDIATE_EXIT);
  }

  @Override
  public String name() {
    return "x86-64";
  }

  @Override
  public Map<String, Integer> requiredCapabilities() {
    return Collections.unmodifiableMap(REQUIRED);
  }

  @Override
  public Map<String, String> facts() {
    return Map.of("processor", virtualizationFlag());
  }

  @Override
  public String advice() {
    return "use a machine with /dev/kvm of kvm_intel or kvm_amd, or the backend qemu";
  }

  @Override
  public HostReport.Protection protection(ProtectionLevel level, KvmSystem system) {
    return protection(level);
  }

  private static HostReport.Protection protection(ProtectionLevel level) {
    return switch (level) {
      case NONE -> new HostReport.Protection(level, true, "every machine can be unprotected", "");
      case SIMULATED ->
          new HostReport.Protection(
              level,
              false,
              "machines on x86-64 have no firmware that would boot as a protected machine's does",
              "use protection level NONE, or an arm64 host");
      case HARDWARE ->
          new HostReport.Protection(
              level,
              false,
              "the hypervisor of x86-64 hosts does not keep machines' memory from the host",
              "use an arm64 host that runs pKVM");
    };
  }

  @Override
  public Board board(MachineSpec spec) {
    HostReport.Protection protection = protection(spec.protection());
    if (!protection.available()) {
      throw new BackendUnavailableException(protection.reason() + ": " + protection.advice());
    }
    if (spec.firmware().isPresent()) {
      throw new BackendUnavailableException(
          "machines on x86-64 have no window for firmware: leave the firmware out");
    }
    return new X86Board(spec);
  }

  @Override
  public ProbeProgram probeProgram() {
    return X86Probe.PROGRAM;
  }

  @Override
  public Board probeBoard(IntConsumer report) {
    return new X86Probe(report);
  }

  private static String virtualizationFlag() {
    try {
      String text = Files.readString(Path.of("/proc/cpuinfo"));
      int flags = text.indexOf("\nflags");
      int end = text.indexOf('\n', flags + 1);
      String line = flags < 0 ? "" : text.substring(flags, end < 0 ? text.length() : end) + ' ';
      return line.contains(" vmx ")
          ? "vmx"
          : line.contains(" svm ") ? "svm" : "has neither vmx nor svm";
    } catch (IOException e) {
      return "unknown";
    }
  }
}
