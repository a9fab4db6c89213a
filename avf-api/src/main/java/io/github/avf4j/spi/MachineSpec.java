package io.github.avf4j.spi;

import io.github.avf4j.Cid;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.internal.AvfStyle;
import io.github.avf4j.internal.Require;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.immutables.value.Value;

/**
 * A machine as a backend sees it: kernel, memory, vCPUs and devices.
 *
 * <p>Every machine has a 16550 serial port (COM1), and as virtio-mmio devices: vsock, console, rng
 * and the disks in their order. Machines on arm64 have a second serial port, to which firmware
 * writes why it resets.
 *
 * <p>Thread-safe.
 */
@Value.Immutable
@AvfStyle
public interface MachineSpec {
  /** The longest command line in bytes, without the terminating NUL. */
  int MAX_COMMAND_LINE = CustomImageConfig.MAX_COMMAND_LINE;

  /** The length of an {@link #instanceId()} in bytes. */
  int INSTANCE_ID_SIZE = 64;

  /** The most disks that a machine may have. */
  int MAX_DISKS = CustomImageConfig.MAX_DISKS;

  /** Returns the machine's name, for thread names and messages. */
  String name();

  /** Returns the number of vCPUs. */
  CpuTopology cpuTopology();

  /**
   * Returns the guest's memory, a multiple of 4096 bytes and at least {@link
   * VirtualMachineConfig#MIN_MEMORY}.
   */
  DataSize memory();

  /**
   * Returns whether the memory should be in transparent huge pages; a backend or host that has none
   * ignores it.
   */
  @Value.Default
  default boolean hugepages() {
    return false;
  }

  /** Returns from whom the guest's memory is protected. */
  @Value.Default
  default ProtectionLevel protection() {
    return ProtectionLevel.NONE;
  }

  /**
   * Returns the firmware that runs before the kernel: an image for the firmware window of AVF's
   * machines on arm64, with its configuration data. The kernel is then put into memory as the file
   * that it is, for the firmware to verify. Without it, the kernel runs first.
   */
  Optional<Path> firmware();

  /**
   * Returns the kernel: on x86-64 an ELF with a PVH or 64-bit entry, or a bzImage; on arm64 an
   * uncompressed Image, or what the {@link #firmware()} takes.
   */
  Path kernel();

  /** Returns the initial RAM disk. */
  Optional<Path> initrd();

  /** Returns the kernel's command line. */
  String commandLine();

  /** Returns the disks in the order in which the guest finds them. */
  List<DiskSpec> disks();

  /**
   * Returns what makes this instance of the machine different from others for its {@link
   * #firmware()}, as the device tree's {@code /avf/untrusted/instance-id}: 64 bytes, or none for a
   * machine without one.
   */
  @Value.Default
  default byte[] instanceId() {
    return new byte[0];
  }

  /** Returns the machine's vsock address. */
  Cid cid();

  /** Returns who takes what the guest writes to the serial port. */
  @Value.Default
  default ByteSink serialOutput() {
    return ByteSink.DISCARD;
  }

  /** Returns who takes what firmware writes to the second serial port: why it resets. */
  @Value.Default
  default ByteSink failureOutput() {
    return ByteSink.DISCARD;
  }

  /** Returns who takes what the guest writes to the virtio console. */
  @Value.Default
  default ByteSink consoleOutput() {
    return ByteSink.DISCARD;
  }

  /** Rejects what no backend can make. */
  @Value.Check
  default void check() {
    Require.memory(memory(), VirtualMachineConfig.MIN_MEMORY);
    Require.commandLine(commandLine(), MAX_COMMAND_LINE);
    Require.disks(disks(), MAX_DISKS);
    Require.state(
        instanceId().length == 0 || instanceId().length == INSTANCE_ID_SIZE,
        "instanceId must have 64 bytes or none but had %s",
        instanceId().length);
  }

  /** Returns a new builder. */
  static Builder builder() {
    return new Builder();
  }

  /** Builds a {@link MachineSpec}. Confined to one thread. */
  final class Builder extends ImmutableMachineSpec.Builder {
    Builder() {}
  }
}
