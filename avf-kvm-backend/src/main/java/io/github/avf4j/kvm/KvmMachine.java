package io.github.avf4j.kvm;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.boot.x86.AcpiTables;
import io.github.avf4j.kvm.boot.x86.BootState;
import io.github.avf4j.kvm.boot.x86.CpuidTable;
import io.github.avf4j.kvm.boot.x86.KernelLoader;
import io.github.avf4j.kvm.boot.x86.Layout;
import io.github.avf4j.kvm.boot.x86.MachineMemory;
import io.github.avf4j.kvm.boot.x86.ResetVector;
import io.github.avf4j.kvm.boot.x86.VcpuSetup;
import io.github.avf4j.kvm.device.Cmos;
import io.github.avf4j.kvm.device.I8042;
import io.github.avf4j.kvm.device.MmioBus;
import io.github.avf4j.kvm.device.PanicPort;
import io.github.avf4j.kvm.device.PortBus;
import io.github.avf4j.kvm.device.PowerControl;
import io.github.avf4j.kvm.device.Serial16550;
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
  private final PortBus ports = new PortBus();
  private final List<KvmVcpu> vcpus = new ArrayList<>();
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private final CountDownLatch stopTold = new CountDownLatch(1);
  private final MachineMemory memory;
  private final MachineDevices devices;
  private final EventLoop loop;
  private final int kickSignal;
  private State state = State.MADE; // guarded by this

  private KvmMachine(MachineSpec spec, MachineListener listener) {
    this.spec = spec;
    this.listener = listener;
    group = new VcpuGroup(this::tellEntered, this::vcpusStopped);
    try {
      kickSignal = Signals.installKick();
      memory = own(new MachineMemory(spec.memory().bytes()));
      if (spec.hugepages()) {
        memory.adviseHugePages();
      }
      BootState boot = KernelLoader.load(memory, spec.kernel(), spec.initrd(), spec.commandLine());
      devices = own(new MachineDevices(spec, memory.guest()));
      AcpiTables.write(memory, spec.cpuTopology().vcpus(), devices.count());
      ResetVector.write(memory);
      loop = own(new EventLoop("avf-" + spec.name() + "-io", this::ioFailed));
      makeVm(boot);
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
    return new KvmMachine(spec, listener);
  }

  private void makeVm(BootState boot) {
    try (KvmSystem system = KvmSystem.open()) {
      KvmHost host = KvmHost.of(system);
      KvmVm vm = own(system.createVm());
      memory.attach(vm);
      VcpuSetup.prepareVm(vm);
      addPorts(vm);
      devices.connect(vm, loop);
      int count = spec.cpuTopology().vcpus();
      for (int i = 0; i < count; i++) {
        KvmVcpu vcpu = own(vm.createVcpu(i, host.vcpuMmapSize()));
        vcpus.add(vcpu);
        VcpuSetup.prepareVcpu(vcpu, CpuidTable.of(host.cpuid(), i, count, host.tscDeadline()));
      }
      boot.apply(vcpus.get(0));
    }
  }

  private void addPorts(KvmVm vm) {
    ports.add(
        Serial16550.COM1,
        new Serial16550(spec.serialOutput(), high -> vm.setIrqLine(Layout.COM1_GSI, high)));
    ports.add(PowerControl.BASE, new PowerControl(group::end));
    ports.add(I8042.BASE, new I8042(group::end));
    ports.add(PanicPort.BASE, new PanicPort(group::end));
    ports.add(Cmos.BASE, new Cmos());
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
    MmioBus mmio = devices.bus();
    List<VcpuThread> threads = new ArrayList<>();
    for (int i = 0; i < vcpus.size(); i++) {
      threads.add(
          new VcpuThread(
              spec.name(), i, vcpus.get(i), ports, mmio, memory.guest(), group, kickSignal));
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
