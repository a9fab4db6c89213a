package io.github.avf4j.microdroid.apk;

import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Fresh keys with certificates, by {@code secp256r1} or {@code rsa2048} and the like. */
public final class TestKeys {
  private static final Map<String, SigningKey> KEYS = new ConcurrentHashMap<>();

  private TestKeys() {}

  /** The same key for the same name; what follows a space only tells keys apart. */
  public static SigningKey of(String name) {
    return KEYS.computeIfAbsent(name, key -> make(key.split(" ")[0]));
  }

  private static SigningKey make(String kind) {
    try {
      boolean rsa = kind.startsWith("rsa");
      KeyPairGenerator generator = KeyPairGenerator.getInstance(rsa ? "RSA" : "EC");
      if (rsa) {
        generator.initialize(Integer.parseInt(kind.substring(3)));
      } else {
        generator.initialize(new ECGenParameterSpec(kind));
      }
      Instant now = Instant.now();
      return SigningKey.selfSigned(
          generator.generateKeyPair(),
          "test",
          now.minus(1, ChronoUnit.DAYS),
          now.plus(1, ChronoUnit.DAYS));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
