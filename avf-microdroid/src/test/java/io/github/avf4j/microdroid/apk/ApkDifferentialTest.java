package io.github.avf4j.microdroid.apk;

import static org.assertj.core.api.Assertions.assertThat;

import com.android.apksig.ApkVerifier;
import com.android.apksig.util.DataSources;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares with Android's own library on files that were changed in one place. */
class ApkDifferentialTest {
  private static final int SDK = 36;

  @TempDir Path folder;

  private static Optional<ApkError> ours(byte[] apk) throws IOException {
    try {
      io.github.avf4j.microdroid.apk.ApkVerifier.verify(ImageSource.of(apk), ApkPolicy.DEFAULT);
      return Optional.empty();
    } catch (ApkException e) {
      return Optional.of(e.error());
    }
  }

  /** The APK of the vectors, cut down to what fits into a few pages. */
  private byte[] small() throws Exception {
    return Apksig.sign(
        folder,
        Zips.ofPackage("assets/a", "content").bytes(),
        builder -> builder.setAlignFileSize(false),
        TestKeys.of("secp256r1"));
  }

  @Test
  void acceptsNoChangedByteThatAndroidRefuses() throws Exception {
    byte[] apk = small();
    ApkFile parsed = ApkFile.open(ImageSource.of(apk));
    int block = (int) parsed.bodyLength();
    int from = parsed.directoryBytes().offset() + block;
    SigningBlock pairs = parsed.signingBlock().orElseThrow();
    int v3 = block + pairs.value(SigningBlock.V3).orElseThrow().offset();
    int v3End = v3 + pairs.value(SigningBlock.V3).orElseThrow().length();
    assertThat(ours(apk)).isEmpty();
    assertThat(Apksig.accepts(apk, SDK)).isTrue();

    Random random = new Random(4);
    List<String> disagreements = new ArrayList<>();
    int refused = 0;
    int tried = 0;
    for (int at = 0; at < apk.length; at++) {
      boolean dense = at >= v3 - 12 && at < v3End || at >= from;
      if (!dense && at % 31 != 0) {
        continue;
      }
      byte[] changed = apk.clone();
      changed[at] ^= (byte) (1 << random.nextInt(8));
      boolean accepted = ours(changed).isEmpty();
      tried++;
      refused += accepted ? 0 : 1;
      boolean covered = at < block || at >= v3 && at < v3End || at >= from;
      if (covered && accepted) {
        disagreements.add("byte " + at + " is covered, but a change is accepted");
      }
      if (accepted && !Apksig.accepts(changed, SDK)) {
        disagreements.add("byte " + at + ": only we accept");
      }
    }
    assertThat(disagreements).isEmpty();
    assertThat(tried).isGreaterThan(700);
    assertThat(refused).isGreaterThan(tried / 2);
  }

  @Test
  void refusesEveryLengthToWhichAFileCanBeCut() throws Exception {
    byte[] apk = small();
    for (int length = 0; length < apk.length; length += 1 + apk.length / 500) {
      assertThat(ours(Arrays.copyOf(apk, length))).as("cut to " + length).isPresent();
    }
  }

  @Test
  void agreesOnRandomSplicesOfTheSigningBlock() throws Exception {
    byte[] apk = small();
    ApkFile parsed = ApkFile.open(ImageSource.of(apk));
    int block = (int) parsed.bodyLength();
    int from = parsed.directoryBytes().offset() + block;
    Random random = new Random(5);
    for (int round = 0; round < 200; round++) {
      byte[] changed = apk.clone();
      for (int i = 0; i < 1 + random.nextInt(3); i++) {
        int target = block + random.nextInt(from - block - 8);
        int source = block + random.nextInt(from - block - 8);
        System.arraycopy(apk, source, changed, target, 1 + random.nextInt(8));
      }
      if (ours(changed).isEmpty()) {
        assertThat(Apksig.accepts(changed, SDK)).as("round " + round).isTrue();
      }
    }
  }

  @Test
  void findsTheSameCertificateAsAndroid() throws Exception {
    byte[] apk = small();
    ApkVerifier.Result theirs =
        new ApkVerifier.Builder(DataSources.asDataSource(ByteBuffer.wrap(apk)))
            .setMinCheckedPlatformVersion(SDK)
            .setMaxCheckedPlatformVersion(SDK)
            .build()
            .verify();
    VerifiedApk verified =
        io.github.avf4j.microdroid.apk.ApkVerifier.verify(ImageSource.of(apk), ApkPolicy.DEFAULT);
    assertThat(verified.certificates().get(0).toByteArray())
        .isEqualTo(theirs.getV3SchemeSigners().get(0).getCertificate().getEncoded());
  }
}
