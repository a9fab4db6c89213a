package io.github.avf4j.microdroid.apk;

import com.android.apksig.ApkSigner;
import com.android.apksig.ApkVerifier;
import com.android.apksig.KeyConfig;
import com.android.apksig.util.DataSources;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/** Android's own signing library, whose word counts more than ours. */
public final class Apksig {
  private Apksig() {}

  static ApkSigner.SignerConfig config(SigningKey key) {
    return new ApkSigner.SignerConfig.Builder(
            "signer", new KeyConfig.Jca(key.privateKey()), key.certificates())
        .build();
  }

  /** Signs a zip by v2 and v3, unless the builder is told otherwise. */
  static byte[] sign(
      Path folder, byte[] zip, UnaryOperator<ApkSigner.Builder> options, SigningKey... keys)
      throws Exception {
    Path in = Files.write(folder.resolve("in.zip"), zip);
    Path out = folder.resolve("out.apk");
    List<ApkSigner.SignerConfig> configs = Arrays.stream(keys).map(Apksig::config).toList();
    options
        .apply(
            new ApkSigner.Builder(configs)
                .setInputApk(in.toFile())
                .setOutputApk(out.toFile())
                .setMinSdkVersion(24)
                .setV1SigningEnabled(false)
                .setV4SigningEnabled(false))
        .build()
        .sign();
    return Files.readAllBytes(out);
  }

  /** Whether the library takes an APK for this SDK level by v3 or v3.1. */
  public static boolean accepts(byte[] apk, int sdk) {
    try {
      ApkVerifier.Result result =
          new ApkVerifier.Builder(DataSources.asDataSource(ByteBuffer.wrap(apk)))
              .setMinCheckedPlatformVersion(sdk)
              .setMaxCheckedPlatformVersion(sdk)
              .build()
              .verify();
      return result.isVerified()
          && (result.isVerifiedUsingV3Scheme() || result.isVerifiedUsingV31Scheme());
    } catch (Exception e) {
      return false;
    }
  }
}
