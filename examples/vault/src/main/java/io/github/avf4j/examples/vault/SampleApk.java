package io.github.avf4j.examples.vault;

import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.SigningKey;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The vault's APK, signed by one of two sample keys that everybody has. */
final class SampleApk {
  static final String PACKAGE = "com.example.vault";
  static final String CONFIG = "assets/vm_config.json";

  private static final String LIBRARY = "libvault.so";

  private SampleApk() {}

  /** Makes version 1 of the APK; {@code signer} is {@code alice} or {@code mallory}. */
  static VerifiedApk write(Path apk, String signer) throws IOException {
    return write(apk, signer, 1);
  }

  /** Makes a version of the APK. */
  static VerifiedApk write(Path apk, String signer, long version) throws IOException {
    String task =
        "{\"task\": {\"type\": \"microdroid_launcher\", \"command\": \"" + LIBRARY + "\"}}";
    ApkWriter writer = new ApkWriter(PACKAGE).versionCode(version);
    for (String abi : List.of("arm64-v8a", "x86_64")) {
      String library = abi + '/' + LIBRARY;
      // One that is built on arm64 has the payload for arm64 only.
      if (SampleApk.class.getResource(library) != null) {
        writer.add("lib/" + library, resource(library));
      }
    }
    return writer
        .add(CONFIG, task.getBytes(StandardCharsets.UTF_8))
        .add("assets/greeting.txt", "Nobody but me reads this.\n".getBytes(StandardCharsets.UTF_8))
        .writeSigned(
            apk, SigningKey.ofPem(resource(signer + ".key.pem"), resource(signer + ".cert.pem")));
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = SampleApk.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("the sample was built without " + name + ": build it with Maven");
      }
      return in.readAllBytes();
    }
  }
}
