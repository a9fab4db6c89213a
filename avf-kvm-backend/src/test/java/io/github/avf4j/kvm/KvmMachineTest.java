package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.StopReason;
import io.github.avf4j.StopReason.CrashKind;
import io.github.avf4j.kvm.testing.GuestCode;
import io.github.avf4j.kvm.testing.NeedsKvm;
import io.github.avf4j.kvm.testing.RunningMachine;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tiny guests on the machine's own {@code /dev/kvm}. */
@Tag("kvm")
@ExtendWith(NeedsKvm.class)
class KvmMachineTest {
  private static final int UNCLAIMED_PORT = 0x5F0;
  private static final int FIRST_WINDOW = 0xC0000000;

  @TempDir Path folder;

  @Test
  void printsAndPowersOffThroughTheSleepRegister() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().print("hello").powerOff())) {
      machine.start();
      machine.awaitEntry();
      assertThat(machine.awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("hello");
      assertThat(machine.stops()).isEqualTo(1);
    }
  }

  @Test
  void entersAPvhKernelWithItsStartInformation() throws Exception {
    GuestCode code = new GuestCode();
    code.raw(0x8B, 0x03).printEax(); // mov eax, [ebx]: the magic
    code.raw(0x8B, 0x73, 24); // mov esi, [ebx+24]: the command line
    code.raw(0xB9).little(5).raw(0x66, 0xBA, 0xF8, 0x03, 0xFC, 0xF3, 0x6E).powerOff();
    Path kernel = Files.write(folder.resolve("kernel"), code.pvhElf());
    try (RunningMachine machine =
        RunningMachine.create(spec -> spec.kernel(kernel).commandLine("quiet"))) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("\u0078\u00c5\u006e\u0033quiet");
    }
  }

  @Test
  void entersABzImageWithItsZeroPage() throws Exception {
    GuestCode code = new GuestCode();
    code.raw(0x8B, 0x86).little(0x202).printEax(); // mov eax, [rsi+0x202]
    code.raw(0x8B, 0xB6).little(0x228); // mov esi, [rsi+0x228]: the command line
    code.raw(0xB9).little(5).raw(0x66, 0xBA, 0xF8, 0x03, 0xFC, 0xF3, 0x6E).powerOff();
    Path kernel = Files.write(folder.resolve("bzImage"), code.bzImage());
    try (RunningMachine machine =
        RunningMachine.create(spec -> spec.kernel(kernel).commandLine("quiet"))) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("HdrSquiet");
    }
  }

  @Test
  void givesTheInitrdAtTheTopOfMemory() throws Exception {
    Path initrd = Files.writeString(folder.resolve("initrd"), "RAMDISK");
    GuestCode code = new GuestCode();
    code.raw(0x8B, 0x8E).little(0x21C); // mov ecx, [rsi+0x21c]: its size
    code.raw(0x8B, 0xB6).little(0x218); // mov esi, [rsi+0x218]: its address
    code.raw(0x66, 0xBA, 0xF8, 0x03, 0xFC, 0xF3, 0x6E).powerOff();
    try (RunningMachine machine = elf(code, spec -> spec.initrd(initrd))) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("RAMDISK");
    }
  }

  @Test
  void servesStringOutput() throws Exception {
    GuestCode code = new GuestCode();
    String text = "0123456789".repeat(50);
    int skip = 5;
    code.raw(0xE9).little(text.length()); // jmp over the text
    code.raw(text.chars().toArray());
    code.outString(0x3F8, GuestCode.LOAD_ADDRESS + skip, text.length()).powerOff();
    try (RunningMachine machine = elf(code)) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo(text);
    }
  }

  @Test
  void readsOnesWhereNothingIsAndTheMagicOfTheFirstDevice() throws Exception {
    GuestCode code = new GuestCode();
    code.inByte(UNCLAIMED_PORT).printAl();
    code.load(FIRST_WINDOW + 0xF000).printEax();
    code.load(FIRST_WINDOW).printEax();
    code.load(FIRST_WINDOW + 8).printEax().powerOff();
    try (RunningMachine machine = elf(code)) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("\u00ff\u00ff\u00ff\u00ff\u00ffvirt\u0013\0\0\0");
    }
  }

  @Test
  void resetsThroughTheKeyboardController() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().outByte(0x64, 0xFE).halt())) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Reboot());
    }
  }

  @Test
  void resetsThroughTheResetRegister() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().outByte(0x602, 1).halt())) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Reboot());
    }
  }

  @Test
  void resetsWhenTheGuestJumpsToTheFirmwaresEntry() throws Exception {
    // The instructions there mean the same in 64-bit mode.
    GuestCode code = new GuestCode().raw(0xB8).little(0xFFFF0).raw(0xFF, 0xE0); // jmp rax
    try (RunningMachine machine = elf(code)) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Reboot());
    }
  }

  @Test
  void tellsATripleFault() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().print("x").raw(0x0F, 0x0B))) {
      StopReason reason = machine.start().awaitStop();
      assertThat(reason).isInstanceOf(StopReason.Crash.class);
      StopReason.Crash crash = (StopReason.Crash) reason;
      assertThat(crash.kind()).isEqualTo(CrashKind.TRIPLE_FAULT);
      assertThat(crash.cpu()).isPresent();
    }
  }

  @Test
  void tellsWhichInstructionKvmCouldNotEmulate() throws Exception {
    // Code in a device window has to be emulated, and there is none.
    GuestCode code = new GuestCode().raw(0xB8).little(0xD0000000).raw(0xFF, 0xE0); // jmp rax
    try (RunningMachine machine = elf(code)) {
      StopReason reason = machine.start().awaitStop();
      assertThat(reason).isInstanceOf(StopReason.Crash.class);
      StopReason.Crash crash = (StopReason.Crash) reason;
      assertThat(crash.kind()).isIn(CrashKind.INTERNAL_ERROR, CrashKind.TRIPLE_FAULT);
      assertThat(crash.toString()).contains("vcpu=0 rip=0x");
    }
  }

  @Test
  void killsAGuestThatHalts() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().print("x").halt())) {
      machine.start();
      machine.awaitSerial(1);
      machine.machine().kill();
      assertThat(machine.awaitStop()).isEqualTo(new StopReason.Killed());
      machine.machine().kill();
      assertThat(machine.stops()).isEqualTo(1);
    }
  }

  @Test
  void killsAGuestThatSpins() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().print("x").spin())) {
      machine.start();
      machine.awaitSerial(1);
      machine.machine().kill();
      assertThat(machine.awaitStop()).isEqualTo(new StopReason.Killed());
    }
  }

  @Test
  void staysStoppedForTheFirstReason() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().powerOff())) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      machine.machine().kill();
      assertThat(machine.stops()).isEqualTo(1);
    }
  }

  @Test
  void isKilledByCloseAndTellsSoBeforeCloseReturns() throws Exception {
    RunningMachine machine = elf(new GuestCode().print("x").spin()).start();
    machine.awaitSerial(1);
    machine.close();
    assertThat(machine.stops()).isEqualTo(1);
    assertThat(machine.awaitStop()).isEqualTo(new StopReason.Killed());
    machine.close();
    machine.machine().kill();
    assertThatThrownBy(() -> machine.machine().start())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("\"test\" is CLOSED");
  }

  @Test
  void startsOnceOnly() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().halt()).start()) {
      assertThatThrownBy(machine::start).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void closesWithoutEverStarting() throws Exception {
    RunningMachine machine = elf(new GuestCode().halt());
    machine.close();
    assertThat(machine.stops()).isZero();
  }

  @Test
  void diesAtTheStartIfItWasKilledBefore() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().print("x").halt())) {
      machine.machine().kill();
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Killed());
      assertThat(machine.serial()).isEmpty();
    }
  }

  @Test
  void endsWithAnInfrastructureErrorWhenTheHostSideThrows() throws Exception {
    GuestCode code = new GuestCode().print("x").spin();
    try (RunningMachine machine =
        elf(code, spec -> spec.commandLine(RunningMachine.FAILING_SINK))) {
      assertThat(machine.start().awaitStop())
          .isInstanceOf(StopReason.InfrastructureError.class)
          .hasToString(
              "INFRASTRUCTURE_ERROR avf-test-vcpu0 failed:"
                  + " java.lang.IllegalStateException: on purpose");
    }
  }

  @Test
  void bringsUpEightVcpus() throws Exception {
    GuestCode code = new GuestCode();
    int trampoline = 0x10000;
    int counter = 0x11000;
    // 16-bit: xor ax, ax; mov ds, ax; mov ax, 0x1100; mov ds, ax; lock inc byte [0]; hlt; jmp -3
    byte[] ap = {
      (byte) 0xB8,
      0x00,
      0x11,
      (byte) 0x8E,
      (byte) 0xD8,
      (byte) 0xF0,
      (byte) 0xFE,
      0x06,
      0x00,
      0x00,
      (byte) 0xF4,
      (byte) 0xEB,
      (byte) 0xFD,
      0x00,
      0x00,
      0x00
    };
    for (int i = 0; i < ap.length; i += 4) {
      int word =
          ap[i] & 0xFF | (ap[i + 1] & 0xFF) << 8 | (ap[i + 2] & 0xFF) << 16 | ap[i + 3] << 24;
      code.store(trampoline + i, word);
    }
    code.store(0xFEE000F0, 0x1FF); // switch the local APIC on
    code.store(0xFEE00300, 0xC4500); // INIT to all but this one
    code.store(0xFEE00300, 0xC4600 | trampoline >> 12); // start-up
    code.raw(0xBB).little(counter).raw(0x80, 0x3B, 7, 0x75, 0xFB); // 1: cmp byte [rbx], 7; jne 1b
    code.print("all").powerOff();
    try (RunningMachine machine = elf(code, spec -> spec.cpuTopology(CpuTopology.of(8)))) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("all");
    }
  }

  @Test
  void killsVcpusThatWaitForTheirStart() throws Exception {
    try (RunningMachine machine =
        elf(new GuestCode().print("x").halt(), spec -> spec.cpuTopology(CpuTopology.of(4)))) {
      machine.start();
      machine.awaitSerial(1);
      machine.machine().kill();
      assertThat(machine.awaitStop()).isEqualTo(new StopReason.Killed());
    }
  }

  @Test
  void servesAnEntropyRequestThroughItsQueue() throws Exception {
    int rng = FIRST_WINDOW + 2 * 0x1000;
    int descriptors = 0x150000;
    int available = 0x151000;
    int used = 0x152000;
    int buffer = 0x153000;
    GuestCode code = new GuestCode();
    code.store(rng + 0x70, 1).store(rng + 0x70, 3);
    code.store(rng + 0x24, 1).store(rng + 0x20, 1); // VERSION_1
    code.store(rng + 0x70, 11);
    code.store(rng + 0x30, 0).store(rng + 0x38, 8);
    code.store(rng + 0x80, descriptors).store(rng + 0x90, available).store(rng + 0xA0, used);
    code.store(rng + 0x44, 1).store(rng + 0x70, 15);
    code.store(descriptors, buffer).store(descriptors + 8, 16).store(descriptors + 12, 2);
    code.store(available, 1 << 16); // index 1, ring[0] is descriptor 0
    code.store(rng + 0x50, 0); // notify
    code.raw(0xBB).little(used).raw(0x66, 0x83, 0x7B, 2, 1, 0x75, 0xF9); // until used.idx is 1
    code.load(used + 8).printEax(); // length
    code.load(rng + 0x60).printEax(); // interrupt status
    code.outString(0x3F8, buffer, 16).powerOff();
    try (RunningMachine machine = elf(code)) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      byte[] printed = machine.awaitSerial(24);
      assertThat(printed).hasSize(24).startsWith(16, 0, 0, 0, 1, 0, 0, 0);
      byte[] random = java.util.Arrays.copyOfRange(printed, 8, 24);
      assertThat(random).isNotEqualTo(new byte[16]);
    }
  }

  @Test
  void flushesWhatTheGuestSentToTheConsoleBeforeItPoweredOff() throws Exception {
    int console = FIRST_WINDOW + 0x1000;
    int descriptors = 0x150000;
    int available = 0x151000;
    int used = 0x152000;
    GuestCode code = new GuestCode();
    code.store(console + 0x70, 1).store(console + 0x70, 3);
    code.store(console + 0x24, 1).store(console + 0x20, 1);
    code.store(console + 0x70, 11);
    code.store(console + 0x30, 1).store(console + 0x38, 8);
    code.store(console + 0x80, descriptors);
    code.store(console + 0x90, available);
    code.store(console + 0xA0, used);
    code.store(console + 0x44, 1).store(console + 0x70, 15);
    code.store(0x153000, 'b' | 'y' << 8 | 'e' << 16 | '!' << 24);
    code.store(descriptors, 0x153000).store(descriptors + 8, 4);
    code.store(available, 1 << 16).store(console + 0x50, 1).powerOff();
    try (RunningMachine machine = elf(code)) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.console()).isEqualTo("bye!");
    }
  }

  @Test
  void hasMemoryAboveTheHole() throws Exception {
    GuestCode code = new GuestCode();
    code.store(0xBFFFFFFC, 'l' | 'o' << 8 | 'w' << 16 | '.' << 24).load(0xBFFFFFFC).printEax();
    // Entry 2 of the E820 table, then entry 3: RAM from 4 GiB on.
    code.load(0x7000 + 0x1E8).printAl();
    code.load(0x7000 + 0x2D0 + 60 + 4).printAl().powerOff();
    try (RunningMachine machine = elf(code, spec -> spec.memory(DataSize.ofGibibytes(4)))) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("low.\u0004\u0001");
    }
  }

  @Test
  void leavesNothingBehindWhenAnImageIsBad() throws Exception {
    Path kernel = Files.write(folder.resolve("kernel"), new GuestCode().halt().elf());
    Path notKernel = Files.writeString(folder.resolve("text"), "hello ".repeat(200));
    long before = descriptors();
    for (int i = 0; i < 20; i++) {
      assertThatThrownBy(() -> RunningMachine.create(spec -> spec.kernel(notKernel)))
          .isInstanceOf(io.github.avf4j.InvalidImageException.class)
          .hasMessageContaining("neither an ELF file nor a bzImage");
      assertThatThrownBy(
              () ->
                  RunningMachine.create(
                      spec ->
                          spec.kernel(kernel)
                              .addDisks(new DiskSpec(folder.resolve("none"), true, ""))))
          .isInstanceOf(io.github.avf4j.InvalidImageException.class);
    }
    assertThat(descriptors()).isEqualTo(before);
  }

  private static long descriptors() throws Exception {
    try (var files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }

  private RunningMachine elf(GuestCode code) throws Exception {
    return elf(code, spec -> spec);
  }

  private RunningMachine elf(GuestCode code, UnaryOperator<MachineSpec.Builder> change)
      throws Exception {
    Path kernel = Files.write(folder.resolve("kernel"), code.elf());
    return RunningMachine.create(spec -> change.apply(spec.kernel(kernel)));
  }
}
