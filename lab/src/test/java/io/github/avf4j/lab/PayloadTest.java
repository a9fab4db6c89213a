package io.github.avf4j.lab;

import static io.github.avf4j.lab.TestMachines.LONG;
import static io.github.avf4j.lab.TestMachines.config;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BootStage;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.Payload;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockConnectException;
import io.github.avf4j.VsockListener;
import io.github.avf4j.service.Recorder;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Payloads in a stock Linux guest, from run to stopped. */
@Tag("e2e")
@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PayloadTest {
  private static final int ECHO_PORT = 7000;

  private TestMachines machines;

  @BeforeEach
  void open() throws IOException {
    machines = new TestMachines();
  }

  @AfterEach
  void close() throws IOException {
    machines.close();
  }

  @Test
  @Tag("lab")
  void reportsEveryStepAndTheExitCode() throws Exception {
    VirtualMachine vm = machines.create("exits", config("exit", "7"));
    Recorder recorder = new Recorder();
    vm.setCallback(Runnable::run, recorder);
    vm.run();
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
    assertThat(recorder.awaitStopped())
        .containsExactly("started", "finished 7", "stopped SHUTDOWN when STOPPED");
    assertThat(vm.getPayloadExitCode()).contains(7);
    assertThat(vm.getStatus()).isEqualTo(VirtualMachine.Status.STOPPED);
    Map<BootStage, Duration> stages = vm.getTimeline().stages();
    assertThat(stages)
        .containsKeys(
            BootStage.CALLED,
            BootStage.VMM_READY,
            BootStage.KERNEL_ENTERED,
            BootStage.INIT,
            BootStage.PAYLOAD_STARTED,
            BootStage.PAYLOAD_FINISHED,
            BootStage.STOPPED);
    assertThat(List.copyOf(stages.values())).isSorted();
  }

  @Test
  void runsAgainAfterItStopped() throws Exception {
    VirtualMachine vm = machines.create("again", config("exit", "0"));
    for (int round = 0; round < 2; round++) {
      vm.run();
      assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
    }
  }

  @Test
  void reportsTheSignalThatEndedThePayload() throws Exception {
    VirtualMachine vm = machines.create("signal", config("signal", "9"));
    Recorder recorder = new Recorder();
    vm.setCallback(Runnable::run, recorder);
    vm.run();
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
    assertThat(recorder.awaitStopped()).contains("finished 137");
    assertThat(vm.getPayloadExitCode()).contains(137);
  }

  @Test
  void givesArgumentsAndEnvironmentAndReturnsTheOutput() throws Exception {
    VirtualMachine vm =
        machines.create(
            "env",
            config()
                .payload(
                    Payload.executable(TestMachines.testPayload())
                        .withArguments("env", "two words", "")
                        .withEnvironment("GREETING", "hello there")));
    vm.run();
    String output = TestMachines.readAll(vm.getLogOutput());
    assertThat(output)
        .contains("arg=two words", "env=GREETING=hello there", "env=AVF_CID=" + vm.getCid());
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
  }

  @Test
  @Tag("lab")
  void echoesOverManyConnectionsAtOnce() throws Exception {
    VirtualMachine vm = machines.create("echo", config("echo", Integer.toString(ECHO_PORT)));
    vm.run();
    assertThat(vm.awaitReady(LONG)).isTrue();
    ExecutorService pool = Executors.newCachedThreadPool();
    try {
      List<Future<byte[]>> answers = new ArrayList<>();
      List<byte[]> questions = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        byte[] question = new byte[1 + new Random(i).nextInt(300_000)];
        new Random(i).nextBytes(question);
        questions.add(question);
        answers.add(pool.submit(() -> echo(vm, pool, question)));
      }
      for (int i = 0; i < answers.size(); i++) {
        assertThat(answers.get(i).get(120, TimeUnit.SECONDS)).isEqualTo(questions.get(i));
      }
    } finally {
      pool.shutdownNow();
    }
    try (VsockChannel channel = vm.connectVsock(ECHO_PORT)) {
      channel.write(StandardCharsets.US_ASCII.encode("quit\n"));
    }
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
  }

  private static byte[] echo(VirtualMachine vm, ExecutorService pool, byte[] question)
      throws Exception {
    try (VsockChannel channel = vm.connectVsock(ECHO_PORT)) {
      Callable<Void> send =
          () -> {
            channel.write(ByteBuffer.wrap(question));
            channel.shutdownOutput();
            return null;
          };
      Future<Void> sent = pool.submit(send);
      byte[] answer = Channels.newInputStream(channel).readAllBytes();
      sent.get(120, TimeUnit.SECONDS);
      return answer;
    }
  }

  @Test
  @Tag("lab")
  void takesConnectionsThatTheGuestMakes() throws Exception {
    int bytes = 1 << 20;
    VirtualMachine vm =
        machines.create("connects", config("connect", "9000", Integer.toString(bytes)));
    vm.run();
    try (VsockListener listener = vm.listenVsock(9000);
        VsockChannel channel = listener.accept(LONG).orElseThrow()) {
      assertThat(Channels.newInputStream(channel).readAllBytes()).hasSize(bytes);
      channel.write(StandardCharsets.US_ASCII.encode("got them\n"));
    }
    String log = TestMachines.readAll(vm.getLogOutput());
    assertThat(vm.awaitStopped(LONG)).as(log).contains(new StopReason.Shutdown());
    assertThat(vm.getPayloadExitCode()).as(log).contains(0);
    assertThat(log).contains("got them");
  }

  @Test
  void refusesAConnectionToAPortWhereNobodyListens() throws Exception {
    VirtualMachine vm = machines.create("refuses", config("sleep", "60"));
    vm.run();
    assertThat(vm.awaitReady(LONG)).isTrue();
    assertThatThrownBy(() -> vm.connectVsock(4711))
        .isInstanceOfSatisfying(
            VsockConnectException.class,
            e -> assertThat(e.reason()).isEqualTo(VsockConnectException.Cause.REFUSED));
    vm.stop();
    assertThat(vm.awaitStopped(Duration.ZERO)).contains(new StopReason.Killed());
  }

  @Test
  @Tag("lab")
  void dropsAndCountsAFloodThatNobodyReads() throws Exception {
    int sent = 4 << 20;
    VirtualMachine vm = machines.create("flood", config("flood", Integer.toString(sent)));
    vm.run();
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
    assertThat(vm.getPayloadExitCode()).contains(0);
    long kept = vm.getLogOutput().readAllBytes().length;
    assertThat(kept).isBetween(1L, 1L << 20);
    if (TestMachines.losesNoOutput()) {
      assertThat(vm.getDroppedOutput() + kept).isGreaterThanOrEqualTo(sent);
    } else {
      assertThat(vm.getDroppedOutput()).isPositive();
    }
  }

  @Test
  void passesConsoleInputToThePayload() throws Exception {
    VirtualMachine vm = machines.create("cat", config("cat").consoleInputSupported(true));
    vm.run();
    assertThat(vm.awaitReady(LONG)).isTrue();
    try (OutputStream input = vm.getConsoleInput()) {
      input.write("from the host\nend\n".getBytes(StandardCharsets.US_ASCII));
    }
    assertThat(TestMachines.readAll(vm.getLogOutput())).contains("from the host");
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
  }

  @Test
  @Tag("lab")
  void hasTheMemoryAndProcessorsAskedFor() throws Exception {
    VirtualMachine vm =
        machines.create(
            "report",
            config("report").cpuTopology(CpuTopology.of(2)).memory(DataSize.ofMebibytes(192)));
    vm.run();
    String output = TestMachines.readAll(vm.getLogOutput());
    assertThat(output).contains("processors=2");
    long kibibytes = Long.parseLong(output.replaceAll("(?s).*memory_kib=(\\d+).*", "$1"));
    assertThat(kibibytes).isBetween(120L << 10, 192L << 10);
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Shutdown());
  }

  @Test
  @Tag("lab")
  void tellsAPanicFromAReset() throws Exception {
    VirtualMachine vm = machines.create("panics", config("panic"));
    vm.run();
    assertThat(vm.awaitStopped(LONG).orElseThrow())
        .isInstanceOfSatisfying(
            StopReason.Crash.class,
            crash -> {
              assertThat(crash.kind()).isEqualTo(StopReason.CrashKind.PANIC);
              assertThat(crash.detail()).contains("sysrq triggered crash");
            });
  }

  @Test
  void reportsAReset() throws Exception {
    VirtualMachine vm = machines.create("resets", config("reboot"));
    vm.run();
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Reboot());
  }

  @Test
  void givesUpOnAGuestThatNeverReports() throws Exception {
    VirtualMachine vm =
        machines.create("hangs", config("exit", "0").bootTimeout(Duration.ofMillis(50)));
    vm.run();
    assertThat(vm.awaitStopped(LONG)).contains(new StopReason.Hangup(Duration.ofMillis(50)));
  }

  @Test
  void stopsAtAnyMomentOfABoot() throws Exception {
    VirtualMachine vm = machines.create("stops", config("sleep", "60"));
    Random random = new Random(1);
    for (int round = 0; round < 6; round++) {
      Recorder recorder = new Recorder();
      vm.setCallback(Runnable::run, recorder);
      vm.run();
      Thread.sleep(random.nextInt(2500));
      vm.stop();
      assertThat(vm.getStatus()).isEqualTo(VirtualMachine.Status.STOPPED);
      // Queued before stop() returned, told by another thread.
      assertThat(recorder.awaitStopped()).endsWith("stopped KILLED when STOPPED");
      assertThat(recorder.events().stream().filter(e -> e.startsWith("stopped"))).hasSize(1);
      vm.close();
    }
    // The one that told of the last end ends after it.
    long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!threadsOf("stops").isEmpty() && System.nanoTime() < limit) {
      Thread.sleep(10);
    }
    assertThat(threadsOf("stops")).isEmpty();
  }

  private static List<String> threadsOf(String machine) {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("avf-" + machine))
        .toList();
  }
}
