package io.github.avf4j.spi;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.VirtualMachineManager;
import java.nio.file.Path;
import java.util.ServiceLoader;

/** Implements the API; found by {@link ServiceLoader}. Thread-safe. */
public interface VirtualizationProvider {
  /** See {@link VirtualMachineManager#open}. */
  VirtualMachineManager openManager(Path folder);

  /** See {@link io.github.avf4j.Virtualization#probe()}. */
  HostReport probe();

  /**
   * Returns the implementation.
   *
   * @throws BackendUnavailableException if there is none
   */
  static VirtualizationProvider load() {
    return ServiceLoader.load(
            VirtualizationProvider.class, VirtualizationProvider.class.getClassLoader())
        .findFirst()
        .orElseThrow(
            () ->
                new BackendUnavailableException(
                    "no implementation of avf-api was found: add the dependency"
                        + " io.github.avf4j:avf-service"));
  }
}
