package io.github.avf4j.kvm;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.boot.Board;
import io.github.avf4j.kvm.boot.Platform;
import io.github.avf4j.kvm.device.Buses;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.kvm.vcpu.VcpuGroup;
import io.github.avf4j.kvm.vcpu.VcpuThread;
import io.github.avf4j.linux.EventLoop;
import io.github.avf4j.linux.Signals;
import io.github.avf4j.linux.Threads;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import io.github.avf4j.spi.VsockHost;
import io.github.avf4j.virtio.memory.GuestMemory;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A virtual machine on KVM.
 *
 * <p>The listener hears of the start on the first vCPU's thread and of the end on the devices'
 * thread, after everything that the guest had sent was served. Thread-safe.
 */
public final class KvmMachine implements Machine {
  private static final Logger LOG = LoggerFactory.getLogger(KvmMachine.class);

  private enum State {
    MADE,
    STARTED,
    CLOSED
  }

  private final MachineSpec spec;
  private final MachineListener listener;
  private final VcpuGroup group;
  private final List<KvmVcpu> vcpus = new ArrayList<>();
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final CountDownLatch stopTold = new CountDownLatch(1);
  private final Board board;
  private final MachineDevices devices;
  private final Buses buses;
  private final EventLoop loop;
  private final int kickSignal;
  private State state = State.MADE; // guarded by this

  private KvmMachine(Platform platform, MachineSpec spec, MachineListener listener) {
    this.spec = spec;
    this.listener = listener;
    group = new VcpuGroup(this::tellEntered, this::vcpusStopped);
    try {
      kickSignal = Signals.installKick();
      board = own(platform.board(spec));
      devices = own(new MachineDevices(spec, board.memory(), board.virtio()));
      board.load(devices.count());
      loop = own(new EventLoop("avf-" + spec.name() + "-io", this::ioFailed));
      buses = makeVm(platform);
    } catch (Throwable t) {
      release();
      throw t;
    }
  }

  /**
   * Makes a machine; see {@link io.github.avf4j.spi.HypervisorBackend#create}.
   *
   * @param spec what it is made of
   * @param listener hears of its life
   */
  public static KvmMachine create(MachineSpec spec, MachineListener listener) {
    return new KvmMachine(Platforms.require(), spec, listener);
  }

  private Buses makeVm(Platform platform) {
    try (KvmSystem system = KvmSystem.open()) {
      KvmHost host = KvmHost.of(system, platform);
      KvmVm vm = own(board.createVm(system));
      board.prepare(vm);
      for (int i = 0; i < spec.cpuTopology().vcpus(); i++) {
        KvmVcpu vcpu = own(vm.createVcpu(i, host.vcpuMmapSize()));
        vcpus.add(vcpu);
        board.prepare(vm, vcpu, i);
      }
      board.complete(vm, vcpus.get(0));
      devices.connect(vm, loop);
      return board.buses(vm, devices.transports(), group::end);
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    owned.push(resource);
    return resource;
  }

  @Override
  public synchronized void start() {
    if (state != State.MADE) {
      throw new IllegalStateException(
          "start() needs a machine that was not started or closed before, but \""
              + spec.name()
              + "\" is "
              + state);
    }
    List<VcpuThread> threads = new ArrayList<>();
    for (int i = 0; i < vcpus.size(); i++) {
      threads.add(
          new VcpuThread(
              spec.name(), i, vcpus.get(i), buses, board.diagnostics(), group, kickSignal));
    }
    state = State.STARTED;
    group.start(threads);
  }

  @Override
  public void kill() {
    group.end(new StopReason.Killed());
    devices.abandonDisks();
  }

  @Override
  public VsockHost vsock() {
    return devices.vsock().host();
  }

  @Override
  public OutputStream consoleInput() {
    return devices.console().input();
  }

  /** Returns the RAM as devices access it, for tests. */
  GuestMemory memory() {
    return board.memory();
  }

  private void tellEntered(long nanoTime) {
    try {
      listener.entered(nanoTime);
    } catch (RuntimeException e) {
      LOG.error("the listener of machine {} failed", spec.name(), e);
    }
  }

  private void vcpusStopped(StopReason reason) {
    if (reason instanceof StopReason.Killed) {
      devices.abandonDisks(); // again, as a driver may have reset one meanwhile
    }
    loop.execute(
        () -> {
          try {
            devices.drain();
          } finally {
            tellStopped(reason);
          }
        });
  }

  private void tellStopped(StopReason reason) {
    LOG.debug("machine {} stopped: {}", spec.name(), reason);
    try {
      listener.stopped(reason);
    } catch (RuntimeException e) {
      LOG.error("the listener of machine {} failed", spec.name(), e);
    } finally {
      stopTold.countDown();
    }
  }

  private void ioFailed(Throwable failure) {
    LOG.error("a device of machine {} failed", spec.name(), failure);
    group.end(new StopReason.InfrastructureError("a device failed: " + failure));
  }

  @Override
  public void close() {
    if (loop.isLoopThread() || group.isVcpuThread()) {
      throw new IllegalStateException("close() must not be called from a listener");
    }
    synchronized (this) {
      if (state == State.CLOSED) {
        return;
      }
      boolean started = state == State.STARTED;
      state = State.CLOSED;
      kill();
      group.join();
      devices.end();
      if (started) {
        Threads.awaitUninterruptibly(stopTold);
      }
      release();
    }
  }

  /**
   * Gives everything back in the opposite order of its making: vCPUs, VM, devices' thread, devices'
   * descriptors, and the memory last.
   */
  private void release() {
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (Exception e) {
        LOG.error("machine {} could not give something back", spec.name(), e);
      }
    }
  }
}
