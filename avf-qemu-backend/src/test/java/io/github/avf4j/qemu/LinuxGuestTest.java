package io.github.avf4j.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.StopReason;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Boots a stock Linux kernel with the Rust guest in a real QEMU. */
@Tag("qemu")
class LinuxGuestTest {
  private static final Duration LIMIT = Duration.ofSeconds(Recorder.LIMIT_SECONDS);
  private static final int HELLO = 1;
  private static final int STARTED = 2;
  private static final int READY = 3;
  private static final int FINISHED = 4;
  private static final int ECHO_BYTES = 32 << 20;

  private final Recorder recorder = new Recorder();
  private final Recorder console = new Recorder();

  @TempDir Path folder;

  @BeforeAll
  static void needQemuAndLinux() {
    TestQemu.assumeUsable();
    LinuxGuest.assumeThere();
  }

  private Machine create(MachineSpec.Builder spec) {
    MachineSpec built = spec.serialOutput(recorder).consoleOutput(console).build();
    return new QemuBackend().create(built, recorder);
  }

  private VsockChannel accept(VsockListener listener) throws InterruptedException {
    return listener
        .accept(LIMIT)
        .orElseThrow(() -> new AssertionError("no report channel; serial: " + recorder.output()));
  }

  private static int nextReport(VsockChannel reports) throws IOException {
    ByteBuffer length = read(reports, 4);
    return read(reports, length.getInt(0)).get(0);
  }

  private static ByteBuffer read(VsockChannel channel, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new IOException("the channel ended");
      }
    }
    return bytes.flip();
  }

  private static void write(VsockChannel channel, byte[] bytes) throws IOException {
    channel.write(ByteBuffer.wrap(bytes));
  }

  @Test
  void guestReportsAndEchoesOverVsockAndPowersOff() throws Exception {
    long before = System.nanoTime();
    try (Machine machine = create(new LinuxGuest(folder).spec("echo", "5000"))) {
      VsockListener listener = machine.vsock().listen(42);
      machine.start();
      try (VsockChannel reports = accept(listener)) {
        assertThat(nextReport(reports)).isEqualTo(HELLO);
        assertThat(nextReport(reports)).isEqualTo(STARTED);
        assertThat(nextReport(reports)).isEqualTo(READY);
        print("create to payload ready", before);
        echo(machine);
        try (VsockChannel channel = machine.vsock().connect(5000, LIMIT)) {
          write(channel, "quit\n".getBytes(StandardCharsets.US_ASCII));
          assertThat(nextReport(reports)).isEqualTo(FINISHED);
        }
      }
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Shutdown());
    }
    print("create to closed", before);
  }

  private static void print(String what, long since) {
    System.out.printf("QEMU: %s: %d ms%n", what, (System.nanoTime() - since) / 1_000_000);
  }

  /** Sends and reads back at the same time, and checks every byte. */
  private static void echo(Machine machine) throws Exception {
    byte[] sent = new byte[ECHO_BYTES];
    new SplittableRandom(1).nextBytes(sent);
    long before = System.nanoTime();
    VsockChannel channel = machine.vsock().connect(5000, LIMIT);
    try (channel) {
      Thread writer =
          new Thread(
              () -> {
                try {
                  write(channel, sent);
                  channel.shutdownOutput();
                } catch (IOException e) {
                  Thread.currentThread().interrupt(); // the reader sees the end of the channel
                }
              });
      writer.start();
      assertThat(read(channel, ECHO_BYTES).array()).isEqualTo(sent);
      assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      writer.join(LIMIT.toMillis());
    }
    double seconds = (System.nanoTime() - before) / 1e9;
    System.out.printf(
        "QEMU: vsock echo of %d MiB: %.0f MiB/s each way%n",
        ECHO_BYTES >> 20, (ECHO_BYTES >> 20) / seconds);
  }

  @Test
  void takesAndGivesConsoleBytes() throws Exception {
    try (Machine machine = create(new LinuxGuest(folder).spec("cat"));
        OutputStream input = machine.consoleInput()) {
      VsockListener listener = machine.vsock().listen(42);
      machine.start();
      try (VsockChannel reports = accept(listener)) {
        while (nextReport(reports) != READY) {
          // until the payload reads
        }
        input.write("over the console\nend\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(nextReport(reports)).isEqualTo(FINISHED);
      }
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(console.output()).contains("over the console");
    }
  }

  @Test
  void tellsOfARebootOfLinux() throws Exception {
    try (Machine machine = create(new LinuxGuest(folder).spec("reboot"))) {
      VsockListener listener = machine.vsock().listen(42);
      machine.start();
      accept(listener).close();
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Reboot());
    }
  }

  @Test
  void tellsOfAPanicAsTheRebootThatTheKernelMakesOfIt() throws Exception {
    try (Machine machine = create(new LinuxGuest(folder).spec("panic"))) {
      VsockListener listener = machine.vsock().listen(42);
      machine.start();
      accept(listener);
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Reboot());
      assertThat(recorder.output()).contains("Kernel panic");
    }
  }

  @Test
  void numbersDisksInTheOrderOfTheMachine() throws Exception {
    Path second = Files.write(folder.resolve("second"), new byte[1024]);
    MachineSpec.Builder spec = new LinuxGuest(folder).spec("exit", "0");
    spec.addDisk(new DiskSpec(second, true, "second"));
    spec.commandLine(LinuxGuest.COMMAND_LINE.replace("quiet", "loglevel=7"));
    try (Machine machine = create(spec)) {
      machine.vsock().listen(42);
      machine.start();
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(recorder.output()).contains("[vdb] 2 512-byte logical blocks");
    }
  }

  @Test
  void sharesMemoryOnBothSidesOfTheGapBelowFourGibibytes() throws Exception {
    MachineSpec.Builder spec = new LinuxGuest(folder).spec("exit", "3");
    try (Machine machine = create(spec.memory(DataSize.ofGibibytes(5)))) {
      VsockListener listener = machine.vsock().listen(42);
      machine.start();
      try (VsockChannel reports = accept(listener)) {
        assertThat(nextReport(reports)).isEqualTo(HELLO);
      }
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Shutdown());
    }
  }

  @Test
  void givesSeveralProcessors() throws Exception {
    MachineSpec.Builder spec = new LinuxGuest(folder).spec("report");
    try (Machine machine = create(spec.cpuTopology(CpuTopology.of(2)))) {
      VsockListener listener = machine.vsock().listen(42);
      machine.start();
      try (VsockChannel reports = accept(listener)) {
        while (nextReport(reports) != FINISHED) {
          // until it has printed
        }
      }
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(console.output()).contains("processors=2");
    }
  }
}
