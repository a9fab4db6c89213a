package io.github.avf4j.benchmarks;

import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.SigningKey;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** A new key that signs APKs for one day. */
final class SampleKey {
  private SampleKey() {}

  /** Writes the APK. */
  static void sign(ApkWriter apk, Path file) throws IOException, GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    Instant now = Instant.now();
    apk.writeSigned(
        file,
        SigningKey.selfSigned(
            generator.generateKeyPair(),
            "benchmark",
            now.minus(1, ChronoUnit.DAYS),
            now.plus(1, ChronoUnit.DAYS)));
  }
}
