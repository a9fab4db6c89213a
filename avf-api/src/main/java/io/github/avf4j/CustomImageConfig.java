package io.github.avf4j;

import io.github.avf4j.internal.AvfStyle;
import io.github.avf4j.internal.Require;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.immutables.value.Value;

/**
 * A machine that boots a kernel of the user's own and reports nothing: AVF's custom image.
 *
 * <p>The kernel is, on x86-64, an ELF with a PVH or 64-bit entry or a bzImage, and on arm64 an
 * Image, compressed or not. It finds a serial port, rng, console and vsock devices and the disks,
 * in the order given, as virtio-mmio devices.
 *
 * <p>Thread-safe.
 */
@Value.Immutable
@AvfStyle
public interface CustomImageConfig {
  /** The longest command line in bytes, without the terminating NUL. */
  int MAX_COMMAND_LINE = 2047;

  /** The most disks that a machine may have. */
  int MAX_DISKS = 8;

  /** Returns the kernel file. */
  Path kernel();

  /** Returns the firmware that verifies the kernel before it runs, on arm64; none by default. */
  Optional<Firmware> firmware();

  /** Returns the initial RAM disk, if any. */
  Optional<Path> initrd();

  /**
   * Returns the kernel's command line, at most {@value #MAX_COMMAND_LINE} bytes of ASCII. Without
   * one it is {@code console=ttyS0 panic=-1} and what Linux needs to reset the machine: on x86-64
   * {@code reboot=k}, on arm64 nothing.
   */
  Optional<String> commandLine();

  /** Returns the disks in the order in which the guest sees them, at most {@value #MAX_DISKS}. */
  List<DiskImage> disks();

  /** Rejects what no machine can have. */
  @Value.Check
  default void check() {
    commandLine().ifPresent(line -> Require.commandLine(line, MAX_COMMAND_LINE));
    Require.disks(disks(), MAX_DISKS);
  }

  /** Returns a new builder. */
  static Builder builder() {
    return new Builder();
  }

  /** Builds a {@link CustomImageConfig}. Confined to one thread. */
  final class Builder extends ImmutableCustomImageConfig.Builder {
    Builder() {}
  }
}
