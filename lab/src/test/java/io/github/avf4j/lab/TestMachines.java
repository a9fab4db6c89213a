package io.github.avf4j.lab;

import io.github.avf4j.DebugLevel;
import io.github.avf4j.Payload;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.microdroid.GuestArchitecture;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The machines of the end-to-end tests: one backend, one payload with many behaviours. */
final class TestMachines implements AutoCloseable {
  /** Longer than any emulated boot takes; a bound, not an expectation. */
  static final Duration LONG = Duration.ofSeconds(150);

  static final String BACKEND = System.getProperty("avf.test.backend", "qemu");

  private final Path folder;
  private final VirtualMachineManager manager;

  TestMachines() throws IOException {
    folder = Files.createTempDirectory("avf-lab");
    manager = VirtualMachineManager.open(folder);
  }

  static Path testPayload() {
    String configured = System.getProperty("avf.test.payload");
    Path path =
        configured != null
            ? Path.of(configured)
            : projectRoot()
                .resolve(
                    "avf-microdroid/target/cargo/%s-unknown-linux-gnu/release/test-payload"
                        .formatted(GuestArchitecture.host().linuxName()));
    if (!Files.isExecutable(path)) {
      throw new IllegalStateException(
          "no test payload at " + path + ": build avf-microdroid first");
    }
    return path;
  }

  /** The folder of an APK with the libraries for this host's guests. */
  static String libraryFolder() {
    return GuestArchitecture.host().libraryFolder();
  }

  static Path projectRoot() {
    Path here = Path.of("").toAbsolutePath();
    while (here != null && !Files.isDirectory(here.resolve("avf-microdroid"))) {
      here = here.getParent();
    }
    if (here == null) {
      throw new IllegalStateException("run the tests in a folder of the checkout");
    }
    return here;
  }

  /**
   * Returns whether all that a guest prints reaches us. QEMU throws away what its console cannot
   * pass on at once, which happens when this process gets no processor for a while.
   */
  static boolean losesNoOutput() {
    return !BACKEND.equals("qemu");
  }

  static VirtualMachineConfig.Builder config(String... arguments) {
    return VirtualMachineConfig.builder()
        .payload(Payload.executable(testPayload()).withArguments(arguments))
        .debugLevel(DebugLevel.FULL)
        .outputCaptured(true)
        .bootTimeout(LONG)
        .backend(BACKEND);
  }

  VirtualMachine create(String name, VirtualMachineConfig.Builder config) {
    return manager.create(name, config.build());
  }

  /** Where the files of a machine are. */
  Path files(String name) {
    return folder.resolve("vm").resolve(name);
  }

  VirtualMachineManager manager() {
    return manager;
  }

  static String readAll(InputStream stream) throws IOException {
    return new String(stream.readAllBytes());
  }

  @Override
  public void close() throws IOException {
    try (manager) {
      for (String name : manager.names()) {
        manager.get(name).ifPresent(VirtualMachine::close);
        manager.delete(name);
      }
    }
    try (var left = Files.list(folder)) {
      for (Path path : left.toList()) {
        Files.delete(path);
      }
    }
    Files.delete(folder);
  }
}
