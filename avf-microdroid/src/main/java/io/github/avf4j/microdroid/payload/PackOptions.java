package io.github.avf4j.microdroid.payload;

import io.github.avf4j.DataSize;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.apk.ApkPolicy;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the files of a VM depend on besides its payload. Immutable and thread-safe.
 *
 * @param policy what APKs must be signed for
 * @param architecture the guest's processor
 * @param apexes modules that the guest activates besides those of the payload, in any order
 * @param encryptedStorage the size of the encrypted store; empty for none
 */
public record PackOptions(
    ApkPolicy policy,
    GuestArchitecture architecture,
    List<Apex> apexes,
    Optional<DataSize> encryptedStorage) {
  /** For this host, without APEXes and encrypted storage, and AVF's own policy. */
  public static final PackOptions DEFAULT =
      new PackOptions(ApkPolicy.DEFAULT, GuestArchitecture.host(), List.of(), Optional.empty());

  private static final DataSize MAX_STORAGE = DataSize.ofGibibytes(1 << 20);

  /**
   * An APEX for the guest, of somebody who has verified it.
   *
   * @param name of the module
   * @param file where it is
   * @param version of its manifest
   * @param lastUpdateSeconds since 1970
   * @param factory whether it came with the system
   */
  public record Apex(
      String name, Path file, long version, long lastUpdateSeconds, boolean factory) {
    /** Checks the name. */
    public Apex {
      if (name.isEmpty()) {
        throw new IllegalArgumentException("the name of an APEX must not be empty");
      }
    }
  }

  /** Copies the list. */
  public PackOptions {
    apexes = List.copyOf(apexes);
    encryptedStorage.ifPresent(
        size -> {
          if (size.bytes() == 0 || size.compareTo(MAX_STORAGE) > 0) {
            throw new IllegalArgumentException(
                "encryptedStorage must be in 1 byte..%s but was %s".formatted(MAX_STORAGE, size));
          }
        });
  }

  /** The same with another policy for APKs. */
  public PackOptions withPolicy(ApkPolicy other) {
    return new PackOptions(other, architecture, apexes, encryptedStorage);
  }

  /** The same for another processor. */
  public PackOptions withArchitecture(GuestArchitecture other) {
    return new PackOptions(policy, other, apexes, encryptedStorage);
  }

  /** The same with other APEXes. */
  public PackOptions withApexes(List<Apex> others) {
    return new PackOptions(policy, architecture, others, encryptedStorage);
  }

  /** The same with an encrypted store, whose size is rounded up to a multiple of 4096 bytes. */
  public PackOptions withEncryptedStorage(DataSize size) {
    return new PackOptions(policy, architecture, apexes, Optional.of(size));
  }
}
