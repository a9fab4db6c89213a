package io.github.avf4j.benchmarks;

import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.SigningKey;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A new key that signs APKs for one day. */
final class SampleKey {
  private SampleKey() {}

  /** Writes the APK. */
  static void sign(ApkWriter apk, Path file) throws IOException, GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    KeyPair pair = generator.generateKeyPair();
    X500Name name = new X500Name("CN=benchmark");
    Instant now = Instant.now();
    try {
      JcaX509v3CertificateBuilder certificate =
          new JcaX509v3CertificateBuilder(
              name,
              BigInteger.ONE,
              Date.from(now.minus(1, ChronoUnit.DAYS)),
              Date.from(now.plus(1, ChronoUnit.DAYS)),
              name,
              pair.getPublic());
      apk.writeSigned(
          file,
          new SigningKey(
              pair.getPrivate(),
              List.of(
                  new JcaX509CertificateConverter()
                      .getCertificate(
                          certificate.build(
                              new JcaContentSignerBuilder("SHA256withECDSA")
                                  .build(pair.getPrivate()))))));
    } catch (OperatorCreationException e) {
      throw new GeneralSecurityException(e);
    }
  }
}
