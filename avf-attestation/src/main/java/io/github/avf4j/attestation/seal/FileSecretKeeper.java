package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.internal.DurableFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A keeper with a file for each secret in a directory of its own.
 *
 * <p>Files are encrypted with keys of the {@link DeviceSecret} and named by it, so another device
 * secret finds nothing and a copied file opens nowhere else. Every change is a file written beside
 * the old one, fsync, rename and fsync of the directory: a process that is ended between any two
 * system calls leaves the entry as it was before or after. Processes that share the directory wait
 * for each other. A damaged entry is an error and never counts as missing.
 *
 * <p>It cannot notice that its files were put back to an earlier state. Thread-safe.
 */
public final class FileSecretKeeper implements SecretKeeper {
  private static final int MAX_POLICY = 1 << 20;
  private static final Map<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

  private final Path directory;
  private final DeviceSecret device;
  private final DurableFiles.Steps steps;
  private final ReentrantLock lock;

  private interface Action<T> {
    T run() throws IOException;
  }

  private FileSecretKeeper(Path directory, DeviceSecret device, DurableFiles.Steps steps)
      throws IOException {
    Files.createDirectories(directory, DurableFiles.ownerOnlyDirectory());
    this.directory = directory.toRealPath();
    if (DurableFiles.isWritableByOthers(this.directory)) {
      throw new IOException("others may write to it, and so undo updates: run chmod go-w on it");
    }
    this.device = device;
    this.steps = steps;
    this.lock = LOCKS.computeIfAbsent(this.directory, path -> new ReentrantLock());
  }

  /**
   * Opens a directory, which is created for its owner alone if there is none. Blocks on the file
   * system.
   *
   * @throws SecretKeeperException if the directory cannot be used
   */
  public static FileSecretKeeper open(Path directory, DeviceSecret device) {
    return open(directory, device, DurableFiles.Steps.NONE);
  }

  static FileSecretKeeper open(Path directory, DeviceSecret device, DurableFiles.Steps steps) {
    try {
      FileSecretKeeper keeper = new FileSecretKeeper(directory, device, steps);
      keeper.locked(
          () -> {
            DurableFiles.removeTemporaryFiles(keeper.directory);
            return true;
          });
      return keeper;
    } catch (IOException e) {
      throw failure("cannot open the secret keeper in " + directory, e);
    }
  }

  @Override
  public void store(SecretId id, SecretBytes secret, SealingPolicy policy, ClientIdentity client) {
    if (secret.length() != SECRET_SIZE) {
      throw new SecretKeeperException(
          SecretKeeperError.REQUEST_MALFORMED,
          "secret must have " + SECRET_SIZE + " bytes but has " + secret.length());
    }
    require(policy, client, "the new policy");
    locked(
        () -> {
          replace(id, secret, policy, client);
          return true;
        });
  }

  @Override
  public SecretBytes get(SecretId id, Optional<SealingPolicy> update, ClientIdentity client) {
    return locked(
        () ->
            find(id, update, client)
                .orElseThrow(
                    () ->
                        new SecretKeeperException(
                            SecretKeeperError.ENTRY_NOT_FOUND, "there is no secret of this id")));
  }

  /** In one step, so that of two who create a secret at once, both get the same. */
  @Override
  public SecretBytes getOrCreate(SecretId id, SealingPolicy policy, ClientIdentity client) {
    return locked(
        () -> {
          Optional<SecretBytes> found = find(id, Optional.of(policy), client);
          if (found.isPresent()) {
            return found.get();
          }
          require(policy, client, "the new policy");
          SecretBytes secret = SecretKeeper.randomSecret();
          try {
            replace(id, secret, policy, client);
            return secret;
          } catch (IOException | RuntimeException e) {
            secret.close();
            throw e;
          }
        });
  }

  private void replace(SecretId id, SecretBytes secret, SealingPolicy policy, ClientIdentity client)
      throws IOException {
    try (SecretEntry old = read(id)) {
      if (old != null) {
        require(old.policy(), client, "the policy of the stored secret");
      }
    }
    write(id, new SecretEntry(secret.copy(), policy));
  }

  private Optional<SecretBytes> find(
      SecretId id, Optional<SealingPolicy> update, ClientIdentity client) throws IOException {
    try (SecretEntry entry = read(id)) {
      if (entry == null) {
        return Optional.empty();
      }
      require(entry.policy(), client, "the policy of the stored secret");
      if (update.isPresent() && !update.get().equals(entry.policy())) {
        require(update.get(), client, "the new policy");
        write(id, new SecretEntry(entry.secret().copy(), update.get()));
      }
      return Optional.of(entry.secret().copy());
    }
  }

  @Override
  public boolean delete(SecretId id) {
    return locked(() -> DurableFiles.remove(file(id)));
  }

  private static void require(SealingPolicy policy, ClientIdentity client, String which) {
    if (policy.encoded().length() > MAX_POLICY) {
      throw new SecretKeeperException(
          SecretKeeperError.REQUEST_MALFORMED, "policy must have at most 1 MiB");
    }
    policy
        .mismatch(client.chain())
        .ifPresent(
            why -> {
              throw new SecretKeeperException(
                  SecretKeeperError.DICE_POLICY, "the client does not match " + which + ": " + why);
            });
  }

  private Path file(SecretId id) {
    try (SecretBytes secret = device.secret()) {
      return directory.resolve(SecretEntry.fileName(secret, id));
    }
  }

  private @Nullable SecretEntry read(SecretId id) throws IOException {
    byte[] content;
    try (var in = Files.newInputStream(file(id))) {
      content = in.readNBytes(SecretEntry.OVERHEAD + MAX_POLICY + 1);
    } catch (NoSuchFileException e) {
      return null;
    }
    try (SecretBytes secret = device.secret()) {
      return SecretEntry.open(secret, id, content);
    }
  }

  private void write(SecretId id, SecretEntry entry) throws IOException {
    try (entry;
        SecretBytes secret = device.secret()) {
      DurableFiles.replace(file(id), entry.seal(secret, id), steps);
    }
  }

  /** A file lock belongs to the process, so threads of one process need a lock of their own. */
  private <T> T locked(Action<T> action) {
    lock.lock();
    try (FileChannel channel =
            FileChannel.open(
                directory.resolve("lock"),
                Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                DurableFiles.ownerOnly());
        FileLock held = channel.lock()) {
      if (!held.isValid()) {
        throw new IOException("the lock was lost");
      }
      return action.run();
    } catch (IOException e) {
      throw failure("cannot read or write the secret keeper in " + directory, e);
    } finally {
      lock.unlock();
    }
  }

  private static SecretKeeperException failure(String what, IOException e) {
    return new SecretKeeperException(
        SecretKeeperError.UNEXPECTED_SERVER_ERROR, what + ": " + e.getMessage(), e);
  }

  @Override
  public String toString() {
    return "FileSecretKeeper[" + directory + "]";
  }
}
