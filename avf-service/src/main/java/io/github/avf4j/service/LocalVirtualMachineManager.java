package io.github.avf4j.service;

import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.microdroid.GuestImages;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The machines of one store.
 *
 * <p>A machine that nobody holds is forgotten and made again from its files; one that runs is held
 * by its run.
 *
 * <p>Thread-safe.
 */
final class LocalVirtualMachineManager implements VirtualMachineManager {
  private final Store store;
  private final Backends backends;
  private final GuestImages images;
  private final MicrodroidHost host;

  // Guarded by this.
  private final Map<String, WeakReference<LocalVirtualMachine>> machines = new HashMap<>();
  private boolean closed;

  LocalVirtualMachineManager(
      Store store, Backends backends, GuestImages images, MicrodroidHost host) {
    this.store = store;
    this.backends = backends;
    this.images = images;
    this.host = host;
  }

  @Override
  public synchronized VirtualMachine create(String name, VirtualMachineConfig config) {
    check(name);
    if (config.protectionLevel() != ProtectionLevel.NONE) {
      // Better now than at the first run, after a machine was made that cannot be run here.
      backends.choose(config.backend(), config.protectionLevel());
    }
    store.create(name, config);
    return remember(name, config);
  }

  @Override
  public synchronized Optional<VirtualMachine> get(String name) {
    check(name);
    LocalVirtualMachine known = known(name);
    if (known != null) {
      if (known.getStatus() != VirtualMachine.Status.DELETED) {
        return Optional.of(known);
      }
      machines.remove(name);
    }
    return store.load(name).map(config -> remember(name, config));
  }

  @Override
  public synchronized VirtualMachine getOrCreate(String name, VirtualMachineConfig config) {
    return get(name).orElseGet(() -> create(name, config));
  }

  @Override
  public synchronized void delete(String name) {
    check(name);
    LocalVirtualMachine known = known(name);
    if (known == null || known.getStatus() == VirtualMachine.Status.DELETED) {
      host.delete(store, name);
    } else {
      known.delete();
    }
    machines.remove(name);
  }

  @Override
  public synchronized List<String> names() {
    requireOpen();
    return store.names();
  }

  @Override
  public void close() {
    List<LocalVirtualMachine> left = new ArrayList<>();
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      for (String name : machines.keySet()) {
        LocalVirtualMachine machine = known(name);
        if (machine != null) {
          left.add(machine);
        }
      }
      machines.clear();
    }
    left.forEach(LocalVirtualMachine::retire);
    store.close();
  }

  private LocalVirtualMachine remember(String name, VirtualMachineConfig config) {
    machines.values().removeIf(reference -> reference.get() == null);
    LocalVirtualMachine machine =
        new LocalVirtualMachine(name, config, store, backends, images, host);
    machines.put(name, new WeakReference<>(machine));
    return machine;
  }

  private @Nullable LocalVirtualMachine known(String name) {
    WeakReference<LocalVirtualMachine> reference = machines.get(name);
    return reference == null ? null : reference.get();
  }

  private void check(String name) {
    requireOpen();
    VmName.check(name);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the manager is closed: open it again");
    }
  }
}
