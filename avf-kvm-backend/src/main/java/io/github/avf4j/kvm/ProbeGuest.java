package io.github.avf4j.kvm;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.boot.Board;
import io.github.avf4j.kvm.boot.Platform;
import io.github.avf4j.kvm.boot.ProbeProgram;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.kvm.vcpu.VcpuGroup;
import io.github.avf4j.kvm.vcpu.VcpuThread;
import io.github.avf4j.linux.Signals;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs the platform's {@link ProbeProgram} and hears its reports. Thread-safe. */
final class ProbeGuest {
  /**
   * What became of the guest.
   *
   * @param passed whether it did everything right
   * @param story what it did, in one line
   */
  record Result(boolean passed, String story) {}

  private final ProbeProgram program;
  private final StringBuffer steps = new StringBuffer();
  private final CompletableFuture<StopReason> stopped = new CompletableFuture<>();
  private final VcpuGroup group = new VcpuGroup(nanoTime -> {}, stopped::complete);

  private ProbeGuest(ProbeProgram program) {
    this.program = program;
  }

  /**
   * Runs the guest.
   *
   * @throws io.github.avf4j.VirtualMachineException if the VM cannot be made
   */
  static Result run(Platform platform, Duration timeout) {
    ProbeGuest guest = new ProbeGuest(platform.probeProgram());
    try (KvmSystem system = KvmSystem.open();
        Board board = platform.probeBoard(guest::report);
        KvmVm vm = board.createVm(system)) {
      board.load(0);
      board.prepare(vm);
      try (KvmVcpu vcpu = vm.createVcpu(0, KvmHost.of(system, platform).vcpuMmapSize())) {
        board.prepare(vm, vcpu, 0);
        board.complete(vm, vcpu);
        return guest.run(
            new VcpuThread(
                "probe",
                0,
                vcpu,
                board.buses(vm, List.of(), guest.group::end),
                board.diagnostics(),
                guest.group,
                Signals.installKick()),
            timeout);
      }
    }
  }

  private void report(int value) {
    steps.append((char) value);
    if (value == 'K' || value == 'F') {
      group.end(new StopReason.Shutdown());
    }
  }

  private Result run(VcpuThread thread, Duration timeout) {
    group.start(List.of(thread));
    String end;
    try {
      end = stopped.get(timeout.toMillis(), TimeUnit.MILLISECONDS).toString();
    } catch (TimeoutException e) {
      end = "it did not end within " + timeout.toMillis() + " ms";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      end = "interrupted";
    } catch (ExecutionException e) {
      end = e.toString();
    } finally {
      group.end(new StopReason.Killed());
      group.join();
    }
    return result(end);
  }

  private Result result(String end) {
    int done = 0;
    while (done < program.steps().size()
        && done < steps.length()
        && steps.charAt(done) == '1' + done) {
      done++;
    }
    if (done == program.steps().size() && steps.substring(done).equals("K")) {
      return new Result(true, "all steps passed");
    }
    String step = done < program.steps().size() ? program.steps().get(done) : "its end";
    return new Result(false, "failed at " + step + ": " + end);
  }
}
