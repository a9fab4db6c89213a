package io.github.avf4j.microdroid.apk;

import com.android.apksig.ApkSigner;
import com.android.apksig.KeyConfig;
import com.android.apksig.apk.ApkFormatException;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.ProviderException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Signs APKs by schemes v2 and v3, for SDK levels from 24 on, and their idsig files by v4.
 *
 * <p>Signatures that are there already are replaced. The file's size becomes a multiple of 4096, as
 * a read-only disk needs it. Alignment of stored entries is kept, that of native libraries made.
 * Thread-safe.
 */
public final class PackageSigner {
  private static final int MIN_SDK = 24;
  private static final int PAGE = 4096;
  private static final String SCRATCH = "signed";

  private PackageSigner() {}

  /**
   * Signs an APK and verifies the result. Blocks until done; the output takes its place in one
   * step.
   *
   * @param apk what is signed; may be the same file as {@code out}
   * @param key the key and its certificate
   * @param out the signed APK
   * @param idsig where to write a signed idsig, or null for none
   * @throws ApkException if the APK is no proper zip, or the key and the certificate do not belong
   *     together
   * @throws IOException if a file cannot be read or written
   */
  public static VerifiedApk sign(Path apk, SigningKey key, Path out, @Nullable Path idsig)
      throws IOException {
    try (FileChannel file = FileChannel.open(apk)) {
      ApkFile.open(ImageSource.of(file));
    }
    try (AtomicFile signed = AtomicFile.create(out)) {
      Path signedPath = signed.scratch(SCRATCH);
      if (idsig == null) {
        run(apk, key, signedPath, Optional.empty());
        VerifiedApk verified = check(signedPath, Optional.empty());
        signed.commit(signedPath);
        return verified;
      }
      try (AtomicFile signature = AtomicFile.create(idsig)) {
        Path signaturePath = signature.scratch(SCRATCH);
        run(apk, key, signedPath, Optional.of(signaturePath));
        VerifiedApk verified = check(signedPath, Optional.of(signaturePath));
        signed.commit(signedPath);
        signature.commit(signaturePath);
        return verified;
      }
    }
  }

  private static VerifiedApk check(Path signed, Optional<Path> signature) throws IOException {
    try (FileChannel file = FileChannel.open(signed)) {
      ImageSource apk = ImageSource.of(file);
      if (signature.isEmpty()) {
        return ApkVerifier.verify(apk, ApkPolicy.DEFAULT);
      }
      try (FileChannel idsig = FileChannel.open(signature.get())) {
        return ApkVerifier.verify(apk, ApkPolicy.DEFAULT, ImageSource.of(idsig));
      }
    }
  }

  private static void run(Path apk, SigningKey key, Path out, Optional<Path> signature)
      throws IOException {
    ApkSigner.SignerConfig signer =
        new ApkSigner.SignerConfig.Builder(
                "signer", new KeyConfig.Jca(key.privateKey()), key.certificates())
            .build();
    try {
      ApkSigner.Builder builder =
          new ApkSigner.Builder(List.of(signer))
              .setInputApk(apk.toFile())
              .setOutputApk(out.toFile())
              .setMinSdkVersion(MIN_SDK)
              .setV1SigningEnabled(false)
              .setV2SigningEnabled(true)
              .setV3SigningEnabled(true)
              .setV4SigningEnabled(signature.isPresent())
              .setAlignFileSize(true)
              .setLibraryPageAlignmentBytes(PAGE)
              .setOtherSignersSignaturesPreserved(false);
      signature.ifPresent(
          file -> builder.setV4SignatureOutputFile(file.toFile()).setV4ErrorReportingEnabled(true));
      builder.build().sign();
    } catch (ApkFormatException e) {
      throw new ApkException(
          ApkError.SIGNING, "the APK cannot be signed: " + e.getMessage(), -1, e);
    } catch (GeneralSecurityException | ProviderException e) {
      throw new ApkException(
          ApkError.SIGNING_KEY,
          "the key cannot sign for this certificate: " + e.getMessage(),
          -1,
          e);
    }
  }
}
