package io.github.avf4j.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.StopReason;
import io.github.avf4j.StopReason.Crash;
import io.github.avf4j.StopReason.CrashKind;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Tells from QEMU's last words why a machine stopped. A triple fault shows as {@code guest-reset}
 * in QMP; QEMU's log tells it from a reset that the guest asked for. Thread-safe.
 */
final class StopReasons {
  private StopReasons() {}

  /**
   * Returns the reason for a SHUTDOWN event, null if it says nothing about the guest.
   *
   * @param data the event's data
   * @param tripleFault whether QEMU's log has a triple fault
   */
  static @Nullable StopReason ofShutdown(JsonNode data, boolean tripleFault) {
    return switch (data.path("reason").asText()) {
      case "guest-shutdown" -> new StopReason.Shutdown();
      case "guest-reset", "subsystem-reset" ->
          tripleFault
              ? new Crash(CrashKind.TRIPLE_FAULT, "a vCPU gave up", Optional.empty())
              : new StopReason.Reboot();
      case "guest-panic" ->
          new Crash(CrashKind.PANIC, "the guest kernel panicked", Optional.empty());
      default -> null;
    };
  }
}
