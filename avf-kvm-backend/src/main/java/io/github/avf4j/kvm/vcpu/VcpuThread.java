package io.github.avf4j.kvm.vcpu;

import io.github.avf4j.StopReason;
import io.github.avf4j.StopReason.CrashKind;
import io.github.avf4j.kvm.device.Buses;
import io.github.avf4j.kvm.device.MmioBus;
import io.github.avf4j.kvm.device.PortBus;
import io.github.avf4j.kvm.ioctl.Kvm;
import io.github.avf4j.kvm.ioctl.KvmRun;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.linux.Errno;
import io.github.avf4j.linux.Signals;
import java.lang.invoke.VarHandle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A vCPU and the thread that runs it: enters the guest, serves the exit, enters again.
 *
 * <p>{@link #kick()} is thread-safe; the rest is confined to the vCPU's thread.
 */
public final class VcpuThread implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(VcpuThread.class);
  private static final int STACK_SIZE = 512 << 10;

  private final int index;
  private final KvmVcpu vcpu;
  private final KvmRun run;
  private final PortBus ports;
  private final MmioBus mmio;
  private final VcpuDiagnostics diagnostics;
  private final VcpuGroup group;
  private final int kickSignal;
  private final Thread thread;
  private final Object kickLock = new Object();
  private int threadId; // 0 before the thread runs; guarded by kickLock
  private boolean ended; // guarded by kickLock

  /**
   * Makes a vCPU thread, not started.
   *
   * @param kickSignal of {@link Signals#installKick()}
   */
  public VcpuThread(
      String machine,
      int index,
      KvmVcpu vcpu,
      Buses buses,
      VcpuDiagnostics diagnostics,
      VcpuGroup group,
      int kickSignal) {
    this.index = index;
    this.vcpu = vcpu;
    this.run = vcpu.run();
    this.ports = buses.ports();
    this.mmio = buses.mmio();
    this.diagnostics = diagnostics;
    this.group = group;
    this.kickSignal = kickSignal;
    this.thread = new Thread(null, this, "avf-" + machine + "-vcpu" + index, STACK_SIZE);
    this.thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  Thread thread() {
    return thread;
  }

  /**
   * Makes the vCPU leave the guest, or not enter it, whatever it is doing. The thread's id is used
   * only under the lock that the thread takes before it ends, because ids are given out again, and
   * so is the run structure, which is unmapped after that.
   */
  void kick() {
    synchronized (kickLock) {
      if (!ended) {
        run.requestImmediateExit();
        if (threadId != 0) {
          Signals.send(threadId, kickSignal);
        }
      }
    }
  }

  /** A thread that was never started will not be any more. */
  void retire() {
    if (thread.getState() == Thread.State.NEW) {
      synchronized (kickLock) {
        ended = true;
      }
    }
  }

  @Override
  public void run() {
    synchronized (kickLock) {
      threadId = Signals.currentThread();
    }
    try {
      if (index == 0 && !group.ending()) {
        group.firstEntry();
      }
      loop();
    } catch (Throwable t) {
      LOG.error("{} failed", thread.getName(), t);
      group.end(new StopReason.InfrastructureError(thread.getName() + " failed: " + t));
    } finally {
      synchronized (kickLock) {
        ended = true;
      }
      group.left();
    }
  }

  private void loop() {
    while (!group.ending()) {
      runOnce();
    }
  }

  /** A method of its own, so that it is compiled after some calls wherever the loop is. */
  private void runOnce() {
    int result = vcpu.enter();
    if (result < 0) {
      failed(result);
      return;
    }
    switch (run.exitReason()) {
      case Kvm.KVM_EXIT_IO -> port();
      case Kvm.KVM_EXIT_MMIO -> mmio();
      case Kvm.KVM_EXIT_INTR -> {
        // entered again, or not if the machine ends
      }
      default -> end(run.exitReason());
    }
  }

  private void failed(int result) {
    if (result == -Errno.EINTR) {
      run.clearImmediateExit();
      VarHandle.fullFence(); // kick() sets "ending", then the byte: clear it, then look
    } else if (result != -Errno.EAGAIN) {
      group.end(diagnostics.runFailed(index, vcpu, -result));
    }
  }

  private void port() {
    int port = run.ioPort();
    int size = run.ioSize();
    int count = run.ioCount();
    int at = run.ioDataOffset();
    if (run.ioIsWrite()) {
      for (int i = 0; i < count; i++, at += size) {
        ports.write(port, size, run.data(at, size));
      }
    } else {
      for (int i = 0; i < count; i++, at += size) {
        run.setData(at, size, ports.read(port, size));
      }
    }
  }

  private void mmio() {
    if (run.mmioIsWrite()) {
      mmio.write(run.mmioAddress(), run.mmioLength(), run.mmioData());
    } else {
      run.setMmioData(mmio.read(run.mmioAddress(), run.mmioLength()));
    }
  }

  private void end(int exitReason) {
    switch (exitReason) {
      case Kvm.KVM_EXIT_SHUTDOWN -> crash(CrashKind.TRIPLE_FAULT, "the guest triple-faulted");
      case Kvm.KVM_EXIT_FAIL_ENTRY ->
          crash(
              CrashKind.ENTRY_FAILED,
              "the processor refused to enter the guest, hardware reason 0x"
                  + Long.toHexString(run.failEntryReason()));
      case Kvm.KVM_EXIT_INTERNAL_ERROR ->
          crash(CrashKind.INTERNAL_ERROR, internalError(run.subReason()));
      case Kvm.KVM_EXIT_SYSTEM_EVENT -> {
        switch (run.subReason()) {
          case Kvm.KVM_SYSTEM_EVENT_SHUTDOWN -> group.end(new StopReason.Shutdown());
          case Kvm.KVM_SYSTEM_EVENT_RESET -> group.end(new StopReason.Reboot());
          case Kvm.KVM_SYSTEM_EVENT_CRASH ->
              crash(CrashKind.PANIC, "the guest reported that it crashed");
          default -> crash(CrashKind.PANIC, "the guest reported system event " + run.subReason());
        }
      }
      case Kvm.KVM_EXIT_ARM_NISV ->
          crash(
              CrashKind.INTERNAL_ERROR,
              "the guest accessed guest-physical address 0x"
                  + Long.toHexString(run.undecodedAddress())
                  + ", where no memory is, with an instruction that only works on memory");
      default ->
          crash(
              CrashKind.INTERNAL_ERROR, "KVM left the guest for the unknown reason " + exitReason);
    }
  }

  private static String internalError(int suberror) {
    return switch (suberror) {
      case 1 -> "KVM could not emulate an instruction";
      case 2 -> "KVM met an exception while delivering another";
      case 3 -> "KVM could not deliver an event";
      case 4 -> "KVM met an exit that it does not know";
      default -> "KVM reported internal error " + suberror;
    };
  }

  private void crash(CrashKind kind, String detail) {
    group.end(
        new StopReason.Crash(kind, detail + diagnostics.remark(), diagnostics.state(index, vcpu)));
  }
}
