package io.github.avf4j.microdroid.payload;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.DataSize;
import io.github.avf4j.Payload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A process that packs VM after VM, each for one APK and then for another, until it is killed. */
final class PackingChild {
  static final PackOptions OPTIONS =
      PackOptions.DEFAULT.withEncryptedStorage(DataSize.ofBytes(102_400));
  private static final int LIMIT = 3000;

  private PackingChild() {}

  /** The payload of an APK. */
  static ApkPayload payload(Path apk) {
    return Payload.apk(apk).withBinaryName("libpayload.so");
  }

  /** Takes the folder of the folders and two APKs; prints the number of each VM that is done. */
  public static void main(String[] arguments) throws IOException {
    Path root = Path.of(arguments[0]);
    for (int i = 0; i < LIMIT && !System.out.checkError(); i++) {
      Path folder = Files.createDirectory(root.resolve(Integer.toString(i)));
      new VmFolder(folder).pack(payload(Path.of(arguments[1])), OPTIONS);
      new VmFolder(folder).pack(payload(Path.of(arguments[2])), OPTIONS);
      System.out.println(i);
    }
  }
}
