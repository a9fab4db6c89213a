package io.github.avf4j.kvm.boot;

import io.github.avf4j.HostReport;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.spi.MachineSpec;
import java.util.Map;
import java.util.function.IntConsumer;

/** A processor architecture that machines can have on this host. Thread-safe. */
public interface Platform {
  /** Returns the architecture's name for people. */
  String name();

  /** Returns the numbers of the capabilities of KVM that machines need, by their names. */
  Map<String, Integer> requiredCapabilities();

  /** Returns what else is worth knowing of the host's processor, by name. */
  Map<String, String> facts();

  /** Returns what to do where {@code /dev/kvm} is missing. */
  String advice();

  /** Says whether machines can have a protection level. */
  HostReport.Protection protection(ProtectionLevel level, KvmSystem system);

  /**
   * Makes a machine's board: maps its memory, and nothing else yet.
   *
   * @throws io.github.avf4j.HypervisorException if there is no address space left
   */
  Board board(MachineSpec spec);

  /** Returns the guest that finds out whether kernel-mode code runs natively. */
  ProbeProgram probeProgram();

  /**
   * Makes the board of the probe guest.
   *
   * @param report takes the bytes that the guest reports, on its vCPU's thread
   */
  Board probeBoard(IntConsumer report);
}
