package io.github.avf4j;

import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * Why a virtual machine stopped.
 *
 * <p>What a guest does is a value of this type, never an exception. {@link Object#toString()} is
 * one line for people; {@link #avfCode()} is the number of AVF's {@code STOP_REASON_…} constant.
 *
 * <p>Thread-safe.
 */
public sealed interface StopReason {
  /** Returns the number of AVF's {@code STOP_REASON_…} constant for this reason. */
  int avfCode();

  /** The guest powered itself off. */
  record Shutdown() implements StopReason {
    @Override
    public int avfCode() {
      return 3;
    }

    @Override
    public String toString() {
      return "SHUTDOWN";
    }
  }

  /** The guest asked for a reset. */
  record Reboot() implements StopReason {
    @Override
    public int avfCode() {
      return 5;
    }

    @Override
    public String toString() {
      return "REBOOT";
    }
  }

  /** The host stopped the machine: {@code stop()}, {@code close()} or the end of the JVM. */
  record Killed() implements StopReason {
    @Override
    public int avfCode() {
      return 1;
    }

    @Override
    public String toString() {
      return "KILLED";
    }
  }

  /** What kind of death a {@link Crash} was. */
  enum CrashKind {
    /** A fault while delivering a double fault; the CPU gave up. */
    TRIPLE_FAULT,
    /** KVM could not go on, for example because it could not emulate an instruction. */
    INTERNAL_ERROR,
    /** The processor refused to enter the guest. */
    ENTRY_FAILED,
    /** The guest kernel panicked. */
    PANIC
  }

  /** What kind of processor a vCPU is. */
  enum CpuKind {
    /** Intel's and AMD's, of 64 bits. */
    X86_64("rip"),
    /** Arm's, of 64 bits. */
    ARM64("pc");

    private final String instructionPointer;

    CpuKind(String instructionPointer) {
      this.instructionPointer = instructionPointer;
    }

    /** Returns the name of the register that has the address of the instruction. */
    public String instructionPointer() {
      return instructionPointer;
    }
  }

  /**
   * Where a vCPU died.
   *
   * @param vcpu the index of the vCPU
   * @param kind what kind of processor it is
   * @param instructionPointer the guest-virtual address of the instruction
   * @param instructionBytes up to 16 bytes at that address, empty if it could not be translated
   */
  record CpuState(int vcpu, CpuKind kind, long instructionPointer, byte[] instructionBytes) {
    /** Copies the bytes. */
    public CpuState {
      instructionBytes = instructionBytes.clone();
    }

    @Override
    public byte[] instructionBytes() {
      return instructionBytes.clone();
    }

    @Override
    public String toString() {
      String where =
          String.format(
              Locale.ROOT, "vcpu=%d %s=0x%x", vcpu, kind.instructionPointer(), instructionPointer);
      return instructionBytes.length == 0
          ? where
          : where + " bytes=" + HexFormat.of().formatHex(instructionBytes);
    }
  }

  /**
   * The guest died.
   *
   * @param kind what kind of death
   * @param detail one line for people
   * @param cpu where, when a vCPU told
   */
  record Crash(CrashKind kind, String detail, Optional<CpuState> cpu) implements StopReason {
    @Override
    public int avfCode() {
      return 6;
    }

    @Override
    public String toString() {
      return "CRASH " + kind + ' ' + detail + cpu.map(c -> " [" + c + ']').orElse("");
    }
  }

  /**
   * The guest's userland reported that it cannot run the payload.
   *
   * @param code AVF's error code
   * @param message what the guest said
   */
  record MicrodroidError(ErrorCode code, String message) implements StopReason {
    @Override
    public int avfCode() {
      return switch (code) {
        case PAYLOAD_VERIFICATION_FAILED -> 13;
        case PAYLOAD_CHANGED -> 12;
        case PAYLOAD_INVALID_CONFIG -> 14;
        case UNKNOWN -> 15;
      };
    }

    @Override
    public String toString() {
      return "MICRODROID_ERROR " + code + ' ' + message;
    }
  }

  /**
   * The firmware of the machine refused what it should boot, before the guest ran.
   *
   * @param avfCode AVF's number: 7 if kernel or RAM disk are not what their owner signed, 8 if the
   *     instance is another one, else 5
   * @param rebootReason what the firmware would print, such as {@code
   *     PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED}
   * @param detail one line for people
   */
  record FirmwareRefused(int avfCode, String rebootReason, String detail) implements StopReason {
    @Override
    public String toString() {
      return "FIRMWARE_REFUSED " + rebootReason + ' ' + detail;
    }
  }

  /**
   * The payload was not started within the boot time-out.
   *
   * @param timeout the time-out that passed
   */
  record Hangup(Duration timeout) implements StopReason {
    @Override
    public int avfCode() {
      return 16;
    }

    @Override
    public String toString() {
      return "HANGUP no payload started within " + timeout.toMillis() + " ms";
    }
  }

  /**
   * The virtual machine monitor could not start the machine.
   *
   * @param detail one line for people
   */
  record StartFailed(String detail) implements StopReason {
    @Override
    public int avfCode() {
      return 4;
    }

    @Override
    public String toString() {
      return "START_FAILED " + detail;
    }
  }

  /**
   * The host side failed while the machine ran, for example because its QEMU process was killed.
   *
   * @param detail one line for people
   */
  record InfrastructureError(String detail) implements StopReason {
    @Override
    public int avfCode() {
      return 0;
    }

    @Override
    public String toString() {
      return "INFRASTRUCTURE_ERROR " + detail;
    }
  }
}
