package io.github.avf4j.lab;

import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.SigningKey;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The APK of the end-to-end tests: the vault's library, one that ends as it is asked to, and one
 * that serves RPC Binder.
 */
final class TestApk {
  static final String PACKAGE = "com.example.lab";
  static final String CONFIG = "assets/vm_config.json";
  static final String PROBE = "libprobe.so";
  static final String ADDER = "libadder.so";

  /** A configuration that names a library which is not there. */
  static final String CONFIG_OF_NOTHING = "assets/nothing.json";

  /** Configurations that name two extra APKs and {@link TestModule}: of the vault, of the probe. */
  static final String CONFIG_WITH_PARTS = "assets/parts/vm_config.json";

  static final String CONFIG_OF_PROBE = "assets/probe/vm_config.json";

  private static final String PARTS =
      ", \"extra_apks\": [{\"path\": \"/data/app/one.apk\"}, {\"path\": \"/data/app/two.apk\"}],"
          + " \"apexes\": [{\"name\": \""
          + TestModule.NAME
          + "\"}]";

  private static final String VAULT = "libvault.so";
  private static final String VAULT_FOLDER = "/io/github/avf4j/examples/vault/";

  private TestApk() {}

  /**
   * Makes the APK.
   *
   * @param signer {@code alice} or {@code mallory}
   * @param greeting what {@code greeting} answers
   */
  static VerifiedApk write(Path apk, String signer, long version, String greeting)
      throws IOException {
    return writer(version, greeting).writeSigned(apk, key(signer));
  }

  /** The same, whose probe prints files and ends. */
  static void writePrinting(Path apk, String... files) throws IOException {
    writer(1, "")
        .add("assets/print.txt", String.join("\n", files).getBytes(StandardCharsets.UTF_8))
        .writeSigned(apk, key("alice"));
  }

  /** Makes an APK that has nothing but {@code assets/data.txt}. */
  static VerifiedApk writeData(Path apk, String signer, String name, String text)
      throws IOException {
    return new ApkWriter(PACKAGE + '.' + name)
        .versionCode(5)
        .add("assets/data.txt", text.getBytes(StandardCharsets.UTF_8))
        .writeSigned(apk, key(signer));
  }

  private static ApkWriter writer(long version, String greeting) throws IOException {
    return new ApkWriter(PACKAGE)
        .versionCode(version)
        .add(TestMachines.libraryFolder() + VAULT, library(VAULT_FOLDER, VAULT))
        .add(TestMachines.libraryFolder() + PROBE, library("", PROBE))
        .add(TestMachines.libraryFolder() + ADDER, library("", ADDER))
        .add(CONFIG, config(VAULT, ""))
        .add(CONFIG_WITH_PARTS, config(VAULT, PARTS))
        .add(CONFIG_OF_PROBE, config(PROBE, PARTS))
        .add(CONFIG_OF_NOTHING, config("libnothing.so", ""))
        .add("assets/greeting.txt", (greeting + '\n').getBytes(StandardCharsets.UTF_8));
  }

  private static SigningKey key(String signer) throws IOException {
    return SigningKey.ofPem(
        resource(VAULT_FOLDER + signer + ".key.pem"),
        resource(VAULT_FOLDER + signer + ".cert.pem"));
  }

  private static byte[] config(String library, String more) {
    return ("{\"task\": {\"type\": \"microdroid_launcher\", \"command\": \""
            + library
            + "\"}"
            + more
            + '}')
        .getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] library(String folder, String name) throws IOException {
    return resource(folder + TestMachines.libraryFolder().substring("lib/".length()) + name);
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = TestApk.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no " + name + " on the class path: build it with Maven");
      }
      return in.readAllBytes();
    }
  }
}
