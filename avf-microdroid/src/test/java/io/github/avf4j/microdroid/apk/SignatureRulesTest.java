package io.github.avf4j.microdroid.apk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.android.apksig.ApkSigner;
import com.android.apksig.KeyConfig;
import com.android.apksig.SigningCertificateLineage;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signers that Android's own library made, and what becomes of them when they are taken apart. */
class SignatureRulesTest {
  private static final ApkPolicy ACCEPT_V2 = new ApkPolicy(36, true);
  private static final byte[] ZIP =
      Zips.ofPackage("assets/a", "content", "lib/x86_64/libx.so", "\177ELF".repeat(3000)).bytes();

  @TempDir Path folder;

  private byte[] sign(UnaryOperator<ApkSigner.Builder> options, String... keys) throws Exception {
    SigningKey[] signers = List.of(keys).stream().map(TestKeys::of).toArray(SigningKey[]::new);
    return Apksig.sign(folder, ZIP, options, signers);
  }

  private static VerifiedApk verify(byte[] apk, ApkPolicy policy) throws IOException {
    return ApkVerifier.verify(ImageSource.of(apk), policy);
  }

  private static void refused(byte[] apk, ApkPolicy policy, ApkError error) {
    assertThatThrownBy(() -> verify(apk, policy))
        .isInstanceOfSatisfying(
            ApkException.class, refusal -> assertThat(refusal.error()).isEqualTo(error));
  }

  @ParameterizedTest
  @CsvSource({"rsa2048, 0x103", "secp256r1, 0x201", "secp384r1, 0x202", "secp521r1, 0x202"})
  void takesEveryKindOfKey(String key, String algorithm) throws Exception {
    byte[] apk = sign(builder -> builder, key);
    VerifiedApk verified = verify(apk, ApkPolicy.DEFAULT);
    assertThat("0x%x".formatted(verified.signatureAlgorithm())).isEqualTo(algorithm);
    assertThat(verified.certificates())
        .containsExactly(ByteSlice.takeOver(TestKeys.of(key).certificates().get(0).getEncoded()));
    assertThat(Apksig.accepts(apk, 36)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"rsa2048, 0x421", "secp256r1, 0x423"})
  void takesVerityDigests(String key, String algorithm) throws Exception {
    byte[] apk = sign(builder -> builder.setVerityEnabled(true), key);
    VerifiedApk verified = verify(apk, ApkPolicy.DEFAULT);
    assertThat("0x%x".formatted(verified.signatureAlgorithm())).isEqualTo(algorithm);
    assertThat(verified.contentDigest().length()).isEqualTo(40);
    apk[31] ^= 1;
    refused(apk, ApkPolicy.DEFAULT, ApkError.LOCAL_HEADER);
    apk[31] ^= 1;
    apk[4200] ^= 1;
    refused(apk, ApkPolicy.DEFAULT, ApkError.CONTENT_DIGEST);
  }

  @Test
  void refusesV2AloneUnlessItIsAccepted() throws Exception {
    byte[] apk = sign(builder -> builder.setV3SigningEnabled(false), "secp256r1");
    refused(apk, ApkPolicy.DEFAULT, ApkError.ONLY_V2);
    VerifiedApk verified = verify(apk, ACCEPT_V2);
    assertThat(verified.scheme()).isEqualTo(SignatureScheme.V2);
    apk[4200] ^= 1;
    refused(apk, ACCEPT_V2, ApkError.CONTENT_DIGEST);
  }

  @Test
  void verifiesAllSignersOfV2() throws Exception {
    byte[] apk =
        sign(builder -> builder.setV3SigningEnabled(false), "secp256r1", "rsa2048", "secp384r1");
    assertThat(verify(apk, ACCEPT_V2).schemes())
        .map(SchemeResult::toString)
        .containsExactly("v2: verifies");
    byte[] spki = TestKeys.of("secp384r1").certificates().get(0).getPublicKey().getEncoded();
    int last = lastIndexOf(apk, spki);
    apk[last - 20] ^= 1;
    refused(apk, ACCEPT_V2, ApkError.SIGNATURE);
  }

  @Test
  void refusesV1Alone() throws Exception {
    byte[] apk =
        sign(
            builder ->
                builder
                    .setV1SigningEnabled(true)
                    .setV2SigningEnabled(false)
                    .setV3SigningEnabled(false),
            "rsa2048");
    refused(apk, ApkPolicy.DEFAULT, ApkError.ONLY_V1);
    refused(apk, ACCEPT_V2, ApkError.ONLY_V1);
    refused(ZIP, ACCEPT_V2, ApkError.NOT_SIGNED);
  }

  @Test
  void saysWhichSchemesThereAre() throws Exception {
    byte[] apk = sign(builder -> builder.setV1SigningEnabled(true), "rsa2048");
    assertThat(verify(apk, ApkPolicy.DEFAULT).schemes())
        .map(SchemeResult::toString)
        .containsExactly("v1: not checked", "v2: verifies", "v3: verifies");
    apk[indexOfId(apk, SigningBlock.V2) + 40] ^= 1;
    assertThat(verify(apk, ApkPolicy.DEFAULT).schemes())
        .map(SchemeResult::toString)
        .anyMatch(text -> text.startsWith("v2: does not verify"));
  }

  @Test
  void refusesASignatureThatWasStrippedToV2() throws Exception {
    byte[] apk = sign(builder -> builder, "secp256r1");
    apk[indexOfId(apk, SigningBlock.V3)] ^= 1;
    refused(apk, ApkPolicy.DEFAULT, ApkError.STRIPPED);
    refused(apk, ACCEPT_V2, ApkError.STRIPPED);
  }

  private byte[] rotated() throws Exception {
    SigningKey old = TestKeys.of("secp256r1");
    SigningKey fresh = TestKeys.of("secp256r1 fresh");
    SigningCertificateLineage lineage =
        new SigningCertificateLineage.Builder(
                new SigningCertificateLineage.SignerConfig.Builder(
                        new KeyConfig.Jca(old.privateKey()), old.certificates().get(0))
                    .build(),
                new SigningCertificateLineage.SignerConfig.Builder(
                        new KeyConfig.Jca(fresh.privateKey()), fresh.certificates().get(0))
                    .build())
            .build();
    return sign(
        builder -> builder.setSigningCertificateLineage(lineage).setMinSdkVersionForRotation(35),
        "secp256r1",
        "secp256r1 fresh");
  }

  @ParameterizedTest
  @CsvSource({
    "32, V3, secp256r1",
    "34, V3, secp256r1",
    "35, V31, secp256r1 fresh",
    "36, V31, secp256r1 fresh"
  })
  void takesTheRotatedKeyForTheLevelsThatItNames(int sdk, SignatureScheme scheme, String key)
      throws Exception {
    byte[] apk = rotated();
    VerifiedApk verified = verify(apk, new ApkPolicy(sdk, false));
    assertThat(verified.scheme()).isEqualTo(scheme);
    assertThat(verified.publicKey().toByteArray())
        .isEqualTo(TestKeys.of(key).certificates().get(0).getPublicKey().getEncoded());
    // Asked for the last level before the rotation alone, the library reads no v3 block at all.
    assertThat(Apksig.accepts(apk, sdk)).isEqualTo(sdk != 34);
  }

  @Test
  void refusesARotationThatWasStripped() throws Exception {
    byte[] apk = rotated();
    apk[indexOfId(apk, SigningBlock.V31)] ^= 1;
    refused(apk, ApkPolicy.DEFAULT, ApkError.STRIPPED);
    refused(apk, new ApkPolicy(30, false), ApkError.STRIPPED);
  }

  @Test
  void needsASignerForTheLevel() throws Exception {
    byte[] apk = sign(builder -> builder, "secp256r1");
    refused(apk, new ApkPolicy(10, false), ApkError.NO_SIGNER_FOR_SDK);
  }

  @Test
  void refusesSdkLevelsThatWereChangedOutsideTheSignedData() {
    byte[] apk = Vectors.bytes("small-ec.apk");
    int signer = indexOfId(apk, SigningBlock.V3) + 12;
    int signedData = number(apk, signer);
    int min = signer + 4 + signedData;
    assertThat(number(apk, min)).isEqualTo(24);
    apk[min] = 25;
    refused(apk, ApkPolicy.DEFAULT, ApkError.SDK_RANGE);
    apk[min] = 37;
    refused(apk, ApkPolicy.DEFAULT, ApkError.NO_SIGNER_FOR_SDK);
    apk[min + 3] = 127;
    apk[min] = (byte) 255;
    apk[min + 7] = 0;
    refused(apk, ApkPolicy.DEFAULT, ApkError.SIGNER_FORM);
  }

  @Test
  void namesAlgorithmsThatItDoesNotKnow() {
    byte[] apk = Vectors.bytes("small-ec.apk");
    int signer = indexOfId(apk, SigningBlock.V3) + 12;
    int id = signer + 4 + number(apk, signer) + 8 + 4 + 4;
    assertThat(number(apk, id)).isEqualTo(0x201);
    apk[id + 1] = 3;
    assertThatThrownBy(() -> verify(apk, ApkPolicy.DEFAULT))
        .isInstanceOfSatisfying(
            ApkException.class,
            refusal -> assertThat(refusal.error()).isEqualTo(ApkError.UNSUPPORTED_ALGORITHM))
        .hasMessageContaining("0x0301");
  }

  @Test
  void refusesAnIdThatStandsTwiceInTheSigningBlock() {
    byte[] apk = Vectors.bytes("small-ec.apk");
    int v2 = indexOfId(apk, SigningBlock.V2);
    int v3 = indexOfId(apk, SigningBlock.V3);
    System.arraycopy(apk, v3, apk, v2, 4);
    refused(apk, ApkPolicy.DEFAULT, ApkError.SIGNING_BLOCK);
  }

  private static int indexOfId(byte[] apk, long id) {
    byte[] pattern = {(byte) id, (byte) (id >> 8), (byte) (id >> 16), (byte) (id >> 24)};
    return lastIndexOf(apk, pattern);
  }

  private static int lastIndexOf(byte[] bytes, byte[] pattern) {
    for (int at = bytes.length - pattern.length; at >= 0; at--) {
      if (Arrays.equals(bytes, at, at + pattern.length, pattern, 0, pattern.length)) {
        return at;
      }
    }
    throw new AssertionError("the pattern is not in the file");
  }

  private static int number(byte[] bytes, int at) {
    return (bytes[at] & 0xff)
        | (bytes[at + 1] & 0xff) << 8
        | (bytes[at + 2] & 0xff) << 16
        | bytes[at + 3] << 24;
  }
}
