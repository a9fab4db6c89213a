package io.github.avf4j.service;

import io.github.avf4j.ErrorCode;
import io.github.avf4j.StopReason;
import io.github.avf4j.StopReason.Crash;
import io.github.avf4j.StopReason.CrashKind;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.attestation.pvmfw.RebootReason;
import io.github.avf4j.microdroid.report.GuestReports;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Says why a machine stopped when several know something about it. */
final class StopReasons {
  private static final String SILENT =
      "the guest stopped before it reported anything: its console says why, with debugLevel FULL and"
          + " outputCaptured(true)";

  private static final String INSTANCE =
      ": restore the VM's folder and the kernel or base image that it was made with, or delete the VM"
          + " and create it again, which gives it other secrets and an empty storage";

  private StopReasons() {}

  /** Says that the firmware refused the machine. */
  static StopReason firmware(PvmfwException e) {
    int avfCode = avfCode(Optional.of(e.rebootReason()));
    // All errors of the instance, and no others, have this one.
    String advice = e.rebootReason() == RebootReason.INTERNAL_ERROR ? INSTANCE : "";
    return new StopReason.FirmwareRefused(
        avfCode, e.rebootReason().line(), e.getMessage() + advice);
  }

  /** Says whether a line on the port for failures is the reason of a firmware's reset. */
  static boolean isRebootReason(String line) {
    return line.matches("PVM_FIRMWARE_[A-Z_]{1,64}");
  }

  private static StopReason firmware(String line) {
    Optional<RebootReason> known =
        Arrays.stream(RebootReason.values()).filter(one -> one.line().equals(line)).findFirst();
    return new StopReason.FirmwareRefused(
        avfCode(known), line, "the firmware in the machine reset it before the kernel ran");
  }

  private static int avfCode(Optional<RebootReason> reason) {
    if (reason.isEmpty()) {
      return 5;
    }
    return switch (reason.get()) {
      case PAYLOAD_VERIFICATION_FAILED -> 7;
      case INTERNAL_ERROR -> 8;
      default -> 5;
    };
  }

  /**
   * Decides.
   *
   * @param byMachine what the backend saw
   * @param killedFor why the host killed the machine, if it tried to
   * @param failure what the guest reported, if it could not run its payload
   * @param panic the line of a kernel panic, if there was one
   * @param rebootReason what the machine's firmware said before it reset, if it did
   * @param silent whether it should have reported but never did
   */
  static StopReason decide(
      StopReason byMachine,
      @Nullable StopReason killedFor,
      GuestReports.@Nullable Failure failure,
      @Nullable String panic,
      @Nullable String rebootReason,
      boolean silent) {
    if (byMachine instanceof StopReason.Killed) {
      return killedFor == null ? byMachine : killedFor;
    }
    if (rebootReason != null && byMachine instanceof StopReason.Reboot) {
      return firmware(rebootReason);
    }
    boolean byItself =
        byMachine instanceof StopReason.Shutdown || byMachine instanceof StopReason.Reboot;
    if (byItself && failure != null) {
      return new StopReason.MicrodroidError(failure.code(), failure.message());
    }
    if (panic != null) {
      if (byItself) {
        return new Crash(CrashKind.PANIC, panic, Optional.empty());
      }
      // A kernel that finds no other way to reset makes its CPU give up.
      if (byMachine instanceof Crash crash && crash.kind() == CrashKind.TRIPLE_FAULT) {
        return new Crash(CrashKind.PANIC, panic, crash.cpu());
      }
    }
    return byItself && silent
        ? new StopReason.MicrodroidError(ErrorCode.UNKNOWN, SILENT)
        : byMachine;
  }
}
