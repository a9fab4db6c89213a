package io.github.avf4j.service;

import io.github.avf4j.HostReport;
import io.github.avf4j.HostReport.Suitability;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.spi.HypervisorBackend;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** A backend of {@link FakeMachine}s. */
final class FakeBackend implements HypervisorBackend {
  final List<FakeMachine> machines = new CopyOnWriteArrayList<>();
  volatile FakeMachine.Guest guest = FakeMachine::wellBehaved;
  volatile RuntimeException createFailure;

  /** Sees what a machine is to be made of while it is made. */
  volatile Consumer<MachineSpec> onCreate = spec -> {};

  /** Thrown by the machines that are made from now on. */
  volatile RuntimeException startFailure;

  volatile RuntimeException killFailure;
  volatile RuntimeException closeFailure;
  volatile CountDownLatch creating = new CountDownLatch(0);
  volatile CountDownLatch mayCreate = new CountDownLatch(0);
  volatile Suitability suitability = Suitability.FULL;
  volatile int probes;

  /** The levels that machines can have. */
  volatile Set<ProtectionLevel> levels = Set.of(ProtectionLevel.NONE);

  private final String name;
  private final int priority;

  FakeBackend() {
    this("fake", 10);
  }

  FakeBackend(String name, int priority) {
    this.name = name;
    this.priority = priority;
  }

  FakeBackend with(Suitability found) {
    suitability = found;
    return this;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int priority() {
    return priority;
  }

  @Override
  public HostReport.Backend probe() {
    probes++;
    return new HostReport.Backend(
        name,
        suitability,
        "it is " + suitability,
        suitability == Suitability.FULL ? "" : "mend " + name,
        Map.of("version", "1"));
  }

  @Override
  public HostReport.Protection protection(ProtectionLevel level) {
    return levels.contains(level)
        ? new HostReport.Protection(level, true, name + " has it", "")
        : new HostReport.Protection(level, false, "it lacks pKVM", "buy another machine");
  }

  @Override
  public Machine create(MachineSpec spec, MachineListener listener) {
    creating.countDown();
    try {
      mayCreate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    onCreate.accept(spec);
    if (createFailure != null) {
      throw createFailure;
    }
    FakeMachine machine = new FakeMachine(spec, listener, guest);
    machine.startFailure = startFailure;
    machine.killFailure = killFailure;
    machine.closeFailure = closeFailure;
    machines.add(machine);
    return machine;
  }

  FakeMachine last() {
    return machines.get(machines.size() - 1);
  }
}
