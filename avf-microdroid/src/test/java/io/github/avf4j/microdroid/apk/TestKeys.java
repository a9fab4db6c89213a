package io.github.avf4j.microdroid.apk;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

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
      KeyPair pair = generator.generateKeyPair();
      X500Name subject = new X500Name("CN=test");
      Instant now = Instant.now();
      X509CertificateHolder holder =
          new JcaX509v3CertificateBuilder(
                  subject,
                  BigInteger.ONE,
                  Date.from(now.minus(1, ChronoUnit.DAYS)),
                  Date.from(now.plus(1, ChronoUnit.DAYS)),
                  subject,
                  pair.getPublic())
              .build(
                  new JcaContentSignerBuilder(rsa ? "SHA256withRSA" : "SHA256withECDSA")
                      .build(pair.getPrivate()));
      return new SigningKey(
          pair.getPrivate(), List.of(new JcaX509CertificateConverter().getCertificate(holder)));
    } catch (GeneralSecurityException | org.bouncycastle.operator.OperatorCreationException e) {
      throw new IllegalStateException(e);
    }
  }
}
