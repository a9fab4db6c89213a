package io.github.avf4j.lab;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HostReport;
import io.github.avf4j.Virtualization;
import io.github.avf4j.kvm.testing.GuestCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Kernels of a few instructions, which run on any {@code /dev/kvm} that opens. */
final class TinyGuests {
  private final Path folder;

  /** Makes kernels in {@code folder}. */
  TinyGuests(Path folder) {
    this.folder = folder;
  }

  /** Skips the test, with the reason, where KVM cannot be used at all. */
  static void needKvm() {
    HostReport.Backend kvm =
        Virtualization.probe().backends().stream()
            .filter(backend -> backend.name().equals("kvm"))
            .findFirst()
            .orElseThrow();
    assumeTrue(kvm.suitability() != HostReport.Suitability.NONE, kvm.reason());
  }

  Path write(String name, GuestCode code) throws IOException {
    return Files.write(folder.resolve(name), code.elf());
  }

  Path powersOff(String text) throws IOException {
    return write("off", new GuestCode().print(text).powerOff());
  }

  Path resets() throws IOException {
    return write("reset", new GuestCode().outByte(0x64, 0xFE).halt());
  }

  Path sleeps() throws IOException {
    return write("sleep", new GuestCode().halt());
  }

  Path printsForEver() throws IOException {
    return write("print", new GuestCode().outForever(0x3F8));
  }

  /** Runs into an exception without a handler for it. */
  Path tripleFaults() throws IOException {
    return write("fault", new GuestCode().raw(0x0F, 0x0B));
  }
}
