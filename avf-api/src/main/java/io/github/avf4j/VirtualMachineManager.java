package io.github.avf4j;

import io.github.avf4j.spi.VirtualizationProvider;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Creates and finds the virtual machines of one store folder.
 *
 * <p>A machine's name is 1 to 64 characters: letters, digits, {@code . _ -}, not {@code .} and not
 * {@code ..}.
 *
 * <p>Thread-safe.
 */
public interface VirtualMachineManager extends AutoCloseable {
  /**
   * Opens the store {@code folder}, which is created when it is missing.
   *
   * @throws StoreException if the folder cannot be written
   * @throws BackendUnavailableException if no implementation of this API is on the class path
   */
  static VirtualMachineManager open(Path folder) {
    return VirtualizationProvider.load().openManager(folder);
  }

  /**
   * Makes a new machine.
   *
   * @throws IllegalArgumentException if the name is not allowed
   * @throws StoreException if there is one of that name, or the store cannot be written
   * @throws BackendUnavailableException if this host cannot give the protection asked for
   */
  VirtualMachine create(String name, VirtualMachineConfig config);

  /**
   * Returns the machine of that name, if there is one.
   *
   * @throws IllegalArgumentException if the name is not allowed
   * @throws StoreException if its files cannot be read
   */
  Optional<VirtualMachine> get(String name);

  /** Returns the machine of that name; makes it with {@code config} only if there is none. */
  VirtualMachine getOrCreate(String name, VirtualMachineConfig config);

  /**
   * Deletes a machine, its files, and the secrets that this host keeps for it.
   *
   * @throws IllegalArgumentException if the name is not allowed
   * @throws IllegalVmStateException if it is not stopped
   * @throws StoreException if there is none of that name, or its files cannot be removed
   */
  void delete(String name);

  /** Returns the names of all machines of the store, sorted. */
  List<String> names();

  /** Stops all machines of this manager and gives the store back. Idempotent. */
  @Override
  void close();
}
