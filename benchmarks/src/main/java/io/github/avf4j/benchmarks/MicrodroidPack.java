package io.github.avf4j.benchmarks;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.Payload;
import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.payload.PackOptions;
import io.github.avf4j.microdroid.payload.PackedVm;
import io.github.avf4j.microdroid.payload.VmFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;

/**
 * Verifying an APK of 64 MiB and making all files of a new VM of it - idsig, payload disk, instance
 * image, instance id, of which the last two are synced to the disk - against SHA-256 of the same
 * bytes from memory on one thread.
 *
 * <p>The goal is 2.5 times the baseline plus 20 ms, so that the ratio is that of the value without
 * those 20 ms.
 */
final class MicrodroidPack implements Benchmark {
  private static final int ROUNDS = 21;
  private static final int WARM_UP = 5;
  private static final long SIZE = 64L << 20;
  private static final double ALLOWED_MILLIS = 20;
  private static final String LIBRARY = "libpayload.so";

  @Override
  public String name() {
    return "microdroid.pack";
  }

  @Override
  public Result measure() throws Exception {
    Samples plain = new Samples();
    Samples ours = new Samples();
    try (TemporaryFolder folder = new TemporaryFolder(3 * SIZE)) {
      Path apk = apk(folder);
      byte[] bytes = Files.readAllBytes(apk);
      ApkPayload payload = Payload.apk(apk).withBinaryName(LIBRARY);
      for (int round = -WARM_UP; round < ROUNDS; round++) {
        Path vm = Files.createDirectory(folder.resolve("vm" + round));
        long start = System.nanoTime();
        MessageDigest.getInstance("SHA-256").digest(bytes);
        long middle = System.nanoTime();
        PackedVm made = new VmFolder(vm).pack(payload, PackOptions.DEFAULT);
        long end = System.nanoTime();
        if (!made.newInstance() || made.apk().size() != bytes.length) {
          throw new IllegalStateException("the VM was not made anew");
        }
        if (round >= 0) {
          plain.add((middle - start) / 1e6);
          ours.add((end - middle) / 1e6);
        }
        Folders.delete(vm);
      }
    }
    return new Result(
        name(),
        ours.median(),
        "ms",
        plain.median(),
        ALLOWED_MILLIS,
        "at most 2.50 (SHA-256, after 20 ms are taken off the value)");
  }

  /** A signed APK whose library is most of it. */
  private static Path apk(TemporaryFolder folder) throws IOException, GeneralSecurityException {
    Path library = folder.random("library", SIZE - (64 << 10));
    Path signed = folder.resolve("signed.apk");
    SampleKey.sign(new ApkWriter("com.example.pack").add("lib/x86_64/" + LIBRARY, library), signed);
    Files.delete(library);
    return signed;
  }
}
