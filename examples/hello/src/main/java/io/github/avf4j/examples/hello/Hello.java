package io.github.avf4j.examples.hello;

import io.github.avf4j.BootStage;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.Payload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineException;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.VsockChannel;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The main job: runs a payload in a machine, streams a generated text to it over vsock, and checks
 * the digest that comes back.
 *
 * <p>Ends with 0 if the answer is right, 1 if it is not, 2 if the machine cannot be run here.
 */
public final class Hello {
  private static final long PORT = 5000;
  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final int MAX_ANSWER = 256;
  private static final Map<BootStage, String> STAGES =
      Map.of(
          BootStage.CALLED, "call",
          BootStage.VMM_READY, "VMM set-up",
          BootStage.KERNEL_ENTERED, "kernel entry",
          BootStage.INIT, "init",
          BootStage.PAYLOAD_STARTED, "payload started",
          BootStage.PAYLOAD_READY, "payload ready",
          BootStage.PAYLOAD_FINISHED, "payload finished",
          BootStage.STOPPED, "stopped");

  private final Options options;
  private final PrintStream out;

  /** What the payload said, and how long that took. */
  private record Answer(String text, Duration at, Duration streamed) {}

  Hello(Options options, PrintStream out) {
    this.options = options;
    this.out = out;
  }

  /** Runs the example and ends the JVM; see {@link #run(String...)}. */
  public static void main(String[] arguments) throws Exception {
    System.exit(run(arguments));
  }

  /**
   * Runs the example; the options are {@code --backend kvm|qemu}, {@code --size 64M} and {@code
   * --verbose}.
   *
   * @return 0 if the answer is right, 1 if it is not, 2 if the machine cannot be run here
   */
  public static int run(String... arguments) throws InterruptedException {
    try {
      return new Hello(Options.parse(arguments), System.out).run() ? 0 : 1;
    } catch (VirtualMachineException | IllegalArgumentException | IOException e) {
      System.err.println("hello: " + e.getMessage());
      return e instanceof IOException ? 1 : 2;
    }
  }

  /** Returns whether the answer was right. */
  boolean run() throws IOException, InterruptedException {
    GeneratedText.Summary expected = GeneratedText.summary(options.size().bytes());
    Path folder = Files.createTempDirectory("avf-hello-");
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder.resolve("machines"));
        VirtualMachine vm = manager.create("hello", config(folder))) {
      return run(vm, expected);
    } finally {
      delete(folder);
    }
  }

  private VirtualMachineConfig config(Path folder) throws IOException {
    Path executable = folder.resolve("hello-payload");
    try (InputStream in = payload()) {
      Files.copy(in, executable);
    }
    return VirtualMachineConfig.builder()
        .payload(Payload.executable(executable))
        .backend(options.backend())
        .debugLevel(options.verbose() ? DebugLevel.FULL : DebugLevel.NONE)
        .outputCaptured(options.verbose())
        .bootTimeout(LIMIT)
        .build();
  }

  /** Opens the payload for this processor, which is the guest's, too. */
  static InputStream payload() throws IOException {
    String processor = System.getProperty("os.arch");
    InputStream in = Hello.class.getResourceAsStream(processor + "/hello-payload");
    if (in == null) {
      throw new IOException(
          "hello-payload for " + processor + " is not in this build: build it with Maven");
    }
    return in;
  }

  private boolean run(VirtualMachine vm, GeneratedText.Summary expected)
      throws IOException, InterruptedException {
    if (options.verbose()) {
      show("console", vm.getConsoleOutput());
      show("payload", vm.getLogOutput());
    }
    long called = System.nanoTime();
    vm.run();
    out.println("backend     " + vm.getBackend().orElse("none"));
    if (!vm.awaitReady(LIMIT)) {
      Optional<StopReason> reason = vm.awaitStopped(Duration.ZERO);
      timeline(vm, null);
      out.println(
          "stopped     " + reason.map(Object::toString).orElse("not, and not ready either"));
      return false;
    }
    Answer answer = ask(vm, called);
    Optional<StopReason> reason = vm.awaitStopped(LIMIT);
    boolean right = answer.text().equals(expected.sha256() + ' ' + expected.lines());
    timeline(vm, answer.at());
    out.println("input       " + options.size() + ", " + expected.lines() + " lines");
    out.println("answer      " + answer.text());
    out.println(
        "            "
            + (right
                ? "right: Java's own digest and count are the same"
                : "WRONG: Java has " + expected.sha256() + ' ' + expected.lines()));
    out.printf(
        Locale.ROOT,
        "throughput  %.1f MB/s%n",
        options.size().bytes() / 1e3 / Math.max(1, answer.streamed().toNanos() / 1000) * 1e3);
    out.println("stopped     " + reason.map(Object::toString).orElse("not within " + LIMIT));
    return right && reason.equals(Optional.of(new StopReason.Shutdown()));
  }

  private static void show(String what, InputStream output) {
    Thread thread =
        new Thread(
            () -> {
              try {
                output.transferTo(System.err);
              } catch (IOException e) {
                System.err.println("hello: no more of the " + what + ": " + e.getMessage());
              }
            },
            "hello-" + what);
    thread.setDaemon(true);
    thread.start();
  }

  private Answer ask(VirtualMachine vm, long called) throws IOException {
    long start = System.nanoTime();
    try (VsockChannel channel = vm.connectVsock(PORT)) {
      GeneratedText text = new GeneratedText(options.size().bytes());
      ByteBuffer part;
      while ((part = text.next()).hasRemaining()) {
        channel.write(part);
      }
      channel.shutdownOutput();
      byte[] answer = Channels.newInputStream(channel).readNBytes(MAX_ANSWER);
      long now = System.nanoTime();
      return new Answer(
          new String(answer, StandardCharsets.UTF_8).strip(),
          Duration.ofNanos(now - called),
          Duration.ofNanos(now - start));
    }
  }

  private void timeline(VirtualMachine vm, @Nullable Duration answered) {
    out.println("timeline    (milliseconds since the call of run())");
    vm.getTimeline()
        .stages()
        .forEach(
            (stage, at) -> {
              if (stage == BootStage.PAYLOAD_FINISHED && answered != null) {
                line("answer", answered);
              }
              line(STAGES.getOrDefault(stage, stage.name()), at);
            });
  }

  private void line(String name, Duration at) {
    out.printf(Locale.ROOT, "  %-18s%10.1f%n", name, at.toNanos() / 1e6);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
