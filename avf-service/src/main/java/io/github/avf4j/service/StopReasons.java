package io.github.avf4j.service;

import io.github.avf4j.ErrorCode;
import io.github.avf4j.StopReason;
import io.github.avf4j.StopReason.Crash;
import io.github.avf4j.StopReason.CrashKind;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.attestation.pvmfw.RebootReason;
import io.github.avf4j.microdroid.report.GuestReports;
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
    int avfCode =
        switch (e.rebootReason()) {
          case PAYLOAD_VERIFICATION_FAILED -> 7;
          case INTERNAL_ERROR -> 8;
          default -> 5;
        };
    // All errors of the instance, and no others, have this one.
    String advice = e.rebootReason() == RebootReason.INTERNAL_ERROR ? INSTANCE : "";
    return new StopReason.FirmwareRefused(
        avfCode, e.rebootReason().line(), e.getMessage() + advice);
  }

  /**
   * Decides.
   *
   * @param byMachine what the backend saw
   * @param killedFor why the host killed the machine, if it tried to
   * @param failure what the guest reported, if it could not run its payload
   * @param panic the line of a kernel panic, if there was one
   * @param silent whether it should have reported but never did
   */
  static StopReason decide(
      StopReason byMachine,
      @Nullable StopReason killedFor,
      GuestReports.@Nullable Failure failure,
      @Nullable String panic,
      boolean silent) {
    if (byMachine instanceof StopReason.Killed) {
      return killedFor == null ? byMachine : killedFor;
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
