package io.github.avf4j.qemu.process;

import io.github.avf4j.spi.MachineSpec;

/** A kernel's command line. Thread-safe. */
final class CommandLine {
  private static final String TSC = "tsc_early_khz=";

  private CommandLine() {}

  /**
   * Returns {@code commandLine} with the frequency of the time-stamp counter in front.
   *
   * <p>A microvm has no timer but the PIT to measure that counter by, and a kernel that measures
   * while the host is busy gives up and never gets a clock tick. With software emulation the
   * counter is the host's. Nothing is added when the frequency is 0, the command line is empty, has
   * it already, or would be too long.
   */
  static String withTsc(String commandLine, long kilohertz) {
    if (kilohertz == 0 || commandLine.isEmpty() || commandLine.contains(TSC)) {
      return commandLine;
    }
    String extended = TSC + kilohertz + ' ' + commandLine;
    return extended.length() > MachineSpec.MAX_COMMAND_LINE ? commandLine : extended;
  }
}
