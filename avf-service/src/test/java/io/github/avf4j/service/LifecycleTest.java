package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BootStage;
import io.github.avf4j.HypervisorException;
import io.github.avf4j.IllegalVmStateException;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.Payload;
import io.github.avf4j.PayloadException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachine.Status;
import io.github.avf4j.VirtualMachineCallback;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockConnectException;
import io.github.avf4j.VsockListener;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LifecycleTest extends ManagerTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Recorder recorder = new Recorder();

  private VirtualMachine vm() {
    VirtualMachine vm = manager.create("a", fixture.config().build());
    vm.setCallback(Runnable::run, recorder);
    return vm;
  }

  private static StopReason stopped(VirtualMachine vm) throws InterruptedException {
    return vm.awaitStopped(LIMIT).orElseThrow();
  }

  @Test
  void tellsOfAPayloadFromStartToEnd() throws Exception {
    VirtualMachine vm = vm();
    assertThat(vm.getStatus()).isEqualTo(Status.STOPPED);
    vm.run();
    assertThat(vm.awaitReady(LIMIT)).isTrue();
    assertThat(stopped(vm)).isEqualTo(new StopReason.Shutdown());
    assertThat(recorder.awaitStopped())
        .containsExactly("started", "ready", "finished 0", "stopped SHUTDOWN when STOPPED");
    assertThat(vm.getPayloadExitCode()).contains(0);
    assertThat(vm.getBackend()).contains("fake: it is FULL");
    assertThat(vm.getTimeline().stages())
        .containsOnlyKeys(
            BootStage.CALLED,
            BootStage.VMM_READY,
            BootStage.KERNEL_ENTERED,
            BootStage.INIT,
            BootStage.PAYLOAD_STARTED,
            BootStage.PAYLOAD_READY,
            BootStage.PAYLOAD_FINISHED,
            BootStage.STOPPED);
    assertThat(fixture.backend.last().isClosed()).isTrue();
  }

  @Test
  void givesTheBackendKernelInitrdAndPayloadDisk() throws Exception {
    VirtualMachine vm = vm();
    vm.run();
    stopped(vm);
    var spec = fixture.backend.last().spec;
    assertThat(spec.kernel()).isEqualTo(fixture.kernel.image());
    assertThat(spec.initrd()).get().asString().endsWith(".cpio");
    assertThat(spec.cid()).isEqualTo(vm.getCid());
    assertThat(spec.commandLine()).contains("console=ttyS0", "panic=-1", "quiet");
    assertThat(spec.disks())
        .singleElement()
        .satisfies(
            disk -> {
              assertThat(disk.readOnly()).isTrue();
              assertThat(disk.serial()).isEqualTo("payload");
              assertThat(Files.size(disk.image()) % 512).isZero();
            });
  }

  @Test
  void canBeRunAgain() throws Exception {
    VirtualMachine vm = vm();
    for (int i = 0; i < 3; i++) {
      vm.run();
      assertThat(stopped(vm)).isEqualTo(new StopReason.Shutdown());
    }
    assertThat(fixture.backend.machines).hasSize(3).allMatch(FakeMachine::isClosed);
  }

  @Test
  void signalBecomesExitCode128PlusSignal() throws Exception {
    fixture.backend.guest =
        machine -> {
          try (VsockChannel reports = machine.reports()) {
            reports.write(FakeMachine.hello());
            reports.write(FakeMachine.payloadStarted());
            reports.write(FakeMachine.payloadFinished(137, 9));
            FakeMachine.awaitHostsClose(reports);
          }
          machine.powerOff();
        };
    VirtualMachine vm = vm();
    vm.run();
    stopped(vm);
    assertThat(vm.getPayloadExitCode()).contains(137);
    assertThat(vm.awaitReady(LIMIT)).isFalse();
  }

  @Test
  void guestsErrorIsTheReasonWhyItStopped() throws Exception {
    fixture.backend.guest =
        machine -> {
          try (VsockChannel reports = machine.reports()) {
            reports.write(FakeMachine.hello());
            reports.write(FakeMachine.error(3, "no such format"));
            FakeMachine.awaitHostsClose(reports);
          }
          machine.powerOff();
        };
    VirtualMachine vm = vm();
    vm.run();
    assertThat(stopped(vm)).hasToString("MICRODROID_ERROR PAYLOAD_INVALID_CONFIG no such format");
    assertThat(recorder.awaitStopped())
        .first()
        .isEqualTo("error PAYLOAD_INVALID_CONFIG no such format");
  }

  @Test
  void guestThatBreaksTheProtocolIsStopped() throws Exception {
    fixture.backend.guest = machine -> machine.reports().write(FakeMachine.payloadReady());
    VirtualMachine vm = vm();
    vm.run();
    assertThat(stopped(vm).toString())
        .startsWith("MICRODROID_ERROR UNKNOWN the guest broke the report protocol: PAYLOAD_READY");
  }

  @Test
  void guestThatNeverReportsIsStoppedAfterTheBootTimeout() throws Exception {
    fixture.backend.guest = machine -> {};
    VirtualMachine vm =
        manager.create("b", fixture.config().bootTimeout(Duration.ofMillis(50)).build());
    vm.run();
    assertThat(stopped(vm)).isEqualTo(new StopReason.Hangup(Duration.ofMillis(50)));
  }

  @Test
  void bootTimeoutDoesNotTouchAPayloadThatHasStarted() throws Exception {
    CountDownLatch finish = new CountDownLatch(1);
    fixture.backend.guest =
        machine -> {
          VsockChannel reports = machine.reports();
          reports.write(FakeMachine.hello());
          reports.write(FakeMachine.payloadStarted());
          finish.await();
          machine.powerOff();
        };
    VirtualMachine vm =
        manager.create("b", fixture.config().bootTimeout(Duration.ofMillis(200)).build());
    vm.run();
    assertThat(vm.awaitStopped(Duration.ofMillis(500))).isEmpty();
    finish.countDown();
    assertThat(stopped(vm)).isEqualTo(new StopReason.Shutdown());
  }

  @Test
  void panicThatResetsIsACrash() throws Exception {
    fixture.backend.guest =
        machine -> {
          machine.serial("[    0.1] Kernel panic - not syncing: no in");
          machine.serial("it found\r\n");
          machine.stop(new StopReason.Reboot());
        };
    VirtualMachine vm = vm();
    vm.run();
    assertThat(stopped(vm)).hasToString("CRASH PANIC Kernel panic - not syncing: no init found");
  }

  @Test
  void panicThatHangsIsEnded() throws Exception {
    fixture.backend.guest =
        machine -> {
          machine.serial("[ 1.0] Kernel panic - not syncing: oh\n");
          machine.serial("[ 1.1] ---[ end Kernel panic - not syncing: oh ]---\n");
        };
    VirtualMachine vm = vm();
    vm.run();
    assertThat(stopped(vm)).hasToString("CRASH PANIC Kernel panic - not syncing: oh");
  }

  @Test
  void stopKillsTheGuest() throws Exception {
    fixture.backend.guest = machine -> {};
    VirtualMachine vm = vm();
    vm.run();
    assertThat(vm.getStatus()).isEqualTo(Status.RUNNING);
    vm.stop();
    assertThat(vm.getStatus()).isEqualTo(Status.STOPPED);
    assertThat(stopped(vm)).isEqualTo(new StopReason.Killed());
    assertThat(recorder.awaitStopped()).containsExactly("stopped KILLED when STOPPED");
    assertThatThrownBy(vm::stop)
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessage("stop() needs RUNNING but VM 'a' is STOPPED: VM is not running");
  }

  @Test
  void stopWhileTheMachineIsBeingMadeEndsIt() throws Exception {
    fixture.backend.guest = machine -> {};
    fixture.backend.creating = new CountDownLatch(1);
    fixture.backend.mayCreate = new CountDownLatch(1);
    VirtualMachine vm = vm();
    CompletableFuture<Void> running = CompletableFuture.runAsync(vm::run);
    assertThat(fixture.backend.creating.await(30, TimeUnit.SECONDS)).isTrue();
    assertThatThrownBy(() -> vm.connectVsock(5000))
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("is being started");
    CompletableFuture<Void> stopping = CompletableFuture.runAsync(vm::stop);
    fixture.backend.mayCreate.countDown();
    stopping.get(30, TimeUnit.SECONDS);
    running.get(30, TimeUnit.SECONDS);
    assertThat(stopped(vm)).isEqualTo(new StopReason.Killed());
    assertThat(recorder.awaitStopped()).containsExactly("stopped KILLED when STOPPED");
    assertThat(fixture.backend.last().isClosed()).isTrue();
  }

  @Test
  void runThatFailsIsNoRun() throws Exception {
    fixture.backend.createFailure = new HypervisorException("mmap", 12, "no memory: close some");
    VirtualMachine vm = vm();
    assertThatThrownBy(vm::run).isSameAs(fixture.backend.createFailure);
    assertThat(vm.getStatus()).isEqualTo(Status.STOPPED);
    assertThat(recorder.events()).isEmpty();
    fixture.backend.createFailure = null;
    vm.run();
    assertThat(stopped(vm)).isEqualTo(new StopReason.Shutdown());
  }

  @Test
  void unusablePayloadsAreRefusedByRun() throws Exception {
    Path script = Files.writeString(folder.resolve("script"), "#!/bin/sh\n");
    VirtualMachine vm =
        manager.create("b", fixture.config().payload(Payload.executable(script)).build());
    assertThatThrownBy(vm::run)
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("is no ELF executable but a script")
        .hasMessageContaining("statically");
    VirtualMachine missing =
        manager.create(
            "c", fixture.config().payload(Payload.executable(folder.resolve("none"))).build());
    assertThatThrownBy(missing::run)
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("does not exist");
  }

  @Test
  void anUnusableApkIsRefusedByRunAndTheMachineKept() {
    VirtualMachine vm =
        manager.create(
            "b",
            fixture
                .config()
                .payload(Payload.apk(folder.resolve("p.apk")).withBinaryName("libx.so"))
                .build());
    vm.setCallback(Runnable::run, recorder);
    assertThatThrownBy(vm::run)
        .isInstanceOf(PayloadException.class)
        .hasMessageContaining("p.apk does not exist: give a signed APK");
    assertThat(vm.getStatus()).isEqualTo(Status.STOPPED);
    assertThat(recorder.events()).isEmpty();
    assertThat(manager.get("b")).containsSame(vm);
    manager.delete("b");
  }

  @Test
  void closeIsLegalInEveryState() throws Exception {
    fixture.backend.guest = machine -> {};
    VirtualMachine vm = vm();
    vm.close();
    vm.run();
    vm.close();
    vm.close();
    assertThat(vm.getStatus()).isEqualTo(Status.STOPPED);
    assertThat(manager.get("a")).containsSame(vm);
    manager.delete("a");
    vm.close();
    assertThat(vm.getStatus()).isEqualTo(Status.DELETED);
  }

  @Test
  void vsockNeedsARunningMachine() throws Exception {
    CountDownLatch listening = new CountDownLatch(1);
    fixture.backend.guest =
        machine -> {
          VsockListener listener = machine.vsock.listenInGuest(5000);
          listening.countDown();
          VsockChannel channel = listener.accept(LIMIT).orElseThrow();
          channel.write(ByteBuffer.wrap(new byte[] {7}));
        };
    VirtualMachine vm = vm();
    assertThatThrownBy(() -> vm.connectVsock(5000))
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("not in running state");
    vm.run();
    assertThat(listening.await(30, TimeUnit.SECONDS)).isTrue();
    try (VsockChannel channel = vm.connectVsock(5000)) {
      ByteBuffer answer = ByteBuffer.allocate(1);
      assertThat(channel.read(answer)).isEqualTo(1);
      assertThat(answer.get(0)).isEqualTo((byte) 7);
    }
    assertThatThrownBy(() -> vm.connectVsock(5001)).isInstanceOf(VsockConnectException.class);
    assertThatThrownBy(() -> vm.connectVsock(1023)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> vm.connectVsock(1L << 32))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> vm.listenVsock(vm.getCid().value()))
        .isInstanceOf(IllegalArgumentException.class);
    vm.close();
    manager.delete("a");
    assertThatThrownBy(() -> vm.connectVsock(5000))
        .isInstanceOf(IllegalVmStateException.class)
        .hasMessageContaining("deleted");
  }

  @Test
  void onlyTheFirstConnectionMayReport() throws Exception {
    CompletableFuture<Boolean> second = new CompletableFuture<>();
    fixture.backend.guest =
        machine -> {
          VsockChannel reports = machine.reports();
          reports.write(FakeMachine.hello());
          reports.write(FakeMachine.payloadStarted());
          // The callback of "started" proves that the first one was accepted.
          while (recorder.events().isEmpty()) {
            Thread.sleep(1);
          }
          try {
            machine.reports();
            second.complete(true);
          } catch (VsockConnectException e) {
            second.complete(false);
          }
        };
    VirtualMachine vm = vm();
    vm.run();
    assertThat(second.get(30, TimeUnit.SECONDS)).isFalse();
  }

  @Test
  void callbackMayStopAndRunItsMachine() throws Exception {
    fixture.backend.guest =
        machine -> {
          VsockChannel reports = machine.reports();
          reports.write(FakeMachine.hello());
          reports.write(FakeMachine.payloadStarted());
        };
    CountDownLatch twice = new CountDownLatch(2);
    VirtualMachine vm = vm();
    vm.setCallback(
        Runnable::run,
        new VirtualMachineCallback() {
          @Override
          public void onPayloadStarted(VirtualMachine machine) {
            machine.stop();
          }

          @Override
          public void onStopped(VirtualMachine machine, StopReason reason) {
            twice.countDown();
            if (twice.getCount() > 0) {
              machine.run();
            }
          }
        });
    vm.run();
    assertThat(twice.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void machineThatNeverRanKnowsNothing() throws Exception {
    VirtualMachine vm = vm();
    assertThat(vm.awaitStopped(Duration.ZERO)).isEqualTo(Optional.empty());
    assertThat(vm.awaitReady(Duration.ZERO)).isFalse();
    assertThat(vm.getTimeline().stages()).isEmpty();
    assertThat(vm.getBackend()).isEmpty();
  }
}
