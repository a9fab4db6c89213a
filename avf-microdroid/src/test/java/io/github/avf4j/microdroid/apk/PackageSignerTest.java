package io.github.avf4j.microdroid.apk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.android.apksig.ApkVerifier;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Tool;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackageSignerTest {
  @TempDir Path folder;

  private Path zip() throws IOException {
    return Files.write(
        folder.resolve("in.apk"),
        Zips.ofPackage("assets/a", "content", "lib/x86_64/libx.so", "library").bytes());
  }

  private static byte[] pem(Object... objects) throws IOException {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      for (Object object : objects) {
        writer.writeObject(
            object instanceof PrivateKey key ? new JcaPKCS8Generator(key, null) : object);
      }
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rsa2048", "secp256r1", "secp384r1"})
  void signsWhatAndroidAccepts(String key) throws Exception {
    Path out = folder.resolve("out.apk");
    Path idsig = folder.resolve("out.apk.idsig");
    SigningKey made = TestKeys.of(key);
    SigningKey read = SigningKey.ofPem(pem(made.privateKey()), pem(made.certificates().get(0)));
    VerifiedApk verified = PackageSigner.sign(zip(), read, out, idsig);
    assertThat(verified.scheme()).isEqualTo(SignatureScheme.V3);
    assertThat(verified.remarks()).isEmpty();
    assertThat(verified.manifest().packageName()).isEqualTo("com.example.avf.sample");
    assertThat(Files.size(out) % 4096).isZero();
    assertThat(Idsig.parse(ImageSource.of(Files.readAllBytes(idsig))).isSigned()).isTrue();
    ApkVerifier.Result theirs =
        new ApkVerifier.Builder(out.toFile())
            .setMinCheckedPlatformVersion(28)
            .setV4SignatureFile(idsig.toFile())
            .build()
            .verify();
    assertThat(theirs.isVerified()).as(theirs.getAllErrors().toString()).isTrue();
    assertThat(theirs.isVerifiedUsingV3Scheme()).isTrue();
    assertThat(theirs.isVerifiedUsingV4Scheme()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"rsa2048", "secp256r1"})
  void readsTheOlderFormsOfOpenssl(String name) throws Exception {
    SigningKey key = TestKeys.of(name);
    byte[] old = Tool.run(folder, pem(key.privateKey()), "openssl", "pkey", "-traditional");
    assertThat(new String(old, StandardCharsets.US_ASCII)).containsPattern("BEGIN (RSA|EC) ");
    SigningKey read = SigningKey.ofPem(old, pem(key.certificates().get(0)));
    Path out = folder.resolve("out.apk");
    assertThat(PackageSigner.sign(zip(), read, out, null).publicKey().toByteArray())
        .isEqualTo(key.certificates().get(0).getPublicKey().getEncoded());
  }

  @Test
  void signsWhatDebiansToolAccepts() throws Exception {
    Path out = folder.resolve("out.apk");
    PackageSigner.sign(zip(), TestKeys.of("rsa2048"), out, null);
    byte[] output =
        Tool.run(folder, new byte[0], "apksigner", "verify", "--verbose", out.toString());
    assertThat(new String(output, StandardCharsets.UTF_8))
        .contains("Verified using v3 scheme (APK Signature Scheme v3): true");
  }

  @Test
  void signsAFileInItsPlaceAndTwiceTheSameContent() throws Exception {
    Path apk = zip();
    PackageSigner.sign(apk, TestKeys.of("secp256r1"), apk, null);
    VerifiedApk first = verify(apk);
    PackageSigner.sign(apk, TestKeys.of("secp256r1 other"), apk, null);
    assertThat(verify(apk).contentDigest()).isEqualTo(first.contentDigest());
    assertThat(verify(apk).publicKey()).isNotEqualTo(first.publicKey());
    assertThat(folder.toFile().list()).containsExactly("in.apk");
  }

  private static VerifiedApk verify(Path apk) throws IOException {
    return io.github.avf4j.microdroid.apk.ApkVerifier.verify(
        ImageSource.of(Files.readAllBytes(apk)), ApkPolicy.DEFAULT);
  }

  @Test
  void refusesACertificateOfAnotherKey() throws Exception {
    SigningKey wrong =
        new SigningKey(
            TestKeys.of("secp256r1").privateKey(), TestKeys.of("secp256r1 other").certificates());
    Path out = folder.resolve("out.apk");
    assertThatThrownBy(() -> PackageSigner.sign(zip(), wrong, out, null))
        .isInstanceOfSatisfying(
            ApkException.class,
            refusal -> assertThat(refusal.error()).isEqualTo(ApkError.SIGNING_KEY));
    assertThat(folder.toFile().list()).containsExactly("in.apk");
  }

  @Test
  void refusesWhatIsNoProperZip() throws Exception {
    Path bad = Files.write(folder.resolve("in.apk"), Zips.of("a", "", "a", "").bytes());
    Path out = folder.resolve("out.apk");
    assertThatThrownBy(() -> PackageSigner.sign(bad, TestKeys.of("secp256r1"), out, null))
        .isInstanceOfSatisfying(
            ApkException.class,
            refusal -> assertThat(refusal.error()).isEqualTo(ApkError.DUPLICATE_ENTRY));
  }

  @Test
  void refusesFilesThatAreNoKeyOrCertificate() throws Exception {
    SigningKey good = TestKeys.of("secp256r1");
    byte[] key = pem(good.privateKey());
    byte[] certificate = pem(good.certificates().get(0));
    String encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
    String garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    byte[][][] wrong = {
      {certificate, certificate},
      {key, key},
      {new byte[0], certificate},
      {key, new byte[0]},
      {encrypted.getBytes(StandardCharsets.US_ASCII), certificate},
      {garbage.getBytes(StandardCharsets.US_ASCII), certificate},
    };
    for (byte[][] pair : wrong) {
      assertThatThrownBy(() -> SigningKey.ofPem(pair[0], pair[1]))
          .isInstanceOfSatisfying(
              ApkException.class,
              refusal -> assertThat(refusal.error()).isEqualTo(ApkError.SIGNING_KEY));
    }
  }
}
