package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.internal.DurableFiles;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The process that {@link SecretKeeperKillTest} ends: it boots ever newer code, and says after each
 * boot which version the keeper has confirmed.
 */
final class SecretKeeperChild {
  static final SecretId ID = SecretId.ofInstance(SampleDevice.hash("instance"));
  private static final SampleDevice DEVICE = new SampleDevice("device");

  private SecretKeeperChild() {}

  static ClientIdentity client(long version) {
    return ClientIdentity.ofLocal(SampleDevice.chain(DEVICE.clientVm("a", 1, version)));
  }

  static SealingPolicy policy(ClientIdentity client) {
    return SealingPolicy.forChain(client.chain(), PolicyRule.MICRODROID);
  }

  static FileSecretKeeper open(Path directory, DurableFiles.Steps steps) {
    DeviceSecret secret = FileDeviceSecret.openOrCreate(directory.resolve("device-secret"));
    return FileSecretKeeper.open(directory.resolve("keeper"), secret, steps);
  }

  /**
   * Arguments: directory, version to begin with or 0 to make the device secret alone, number of the
   * operation to end before or 0.
   */
  public static void main(String[] arguments) {
    int last = Integer.parseInt(arguments[2]);
    AtomicInteger count = new AtomicInteger();
    DurableFiles.Steps steps =
        operation -> {
          if (count.incrementAndGet() == last) {
            System.out.println("ending before " + operation);
            System.out.flush();
            Runtime.getRuntime().halt(9);
          }
        };
    long first = Long.parseLong(arguments[1]);
    if (first == 0) {
      FileDeviceSecret.openOrCreate(Path.of(arguments[0]).resolve("device-secret"), steps);
      return;
    }
    FileSecretKeeper keeper = open(Path.of(arguments[0]), steps);
    for (long version = first; ; version++) {
      ClientIdentity client = client(version);
      System.out.println("booting " + version);
      keeper.getOrCreate(ID, policy(client), client).close();
      System.out.println("booted " + version);
      System.out.flush();
    }
  }
}
