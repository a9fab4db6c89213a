package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.TreeSink;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Verifies APKs as AVF does: structure, signature, content.
 *
 * <p>Rules, in this order: the zip's structure; the signing block; exactly one signer for the SDK
 * level; its strongest signature (chunked SHA-512 before verity before chunked SHA-256; the first
 * on a tie); SDK ranges inside and outside the signed data; the lists of algorithms; the content
 * digest; the certificate's key. A v3.1 signer counts for the levels that it names; proof of
 * rotation is not checked, as in AVF: who signs is who counts.
 *
 * <p>Memory: what stands behind the entries, each part at most 16 MiB, and less than 1 MiB for each
 * processor. The entries are read once, but for local headers. Thread-safe.
 */
public final class ApkVerifier {
  private ApkVerifier() {}

  /**
   * Verifies an APK. Blocks until done.
   *
   * @throws ApkException if it is refused
   * @throws IOException if it cannot be read
   */
  public static VerifiedApk verify(ImageSource apk, ApkPolicy policy) throws IOException {
    return signed(apk, policy).verifyContent(ByteSlice.EMPTY, TreeSink.DISCARD);
  }

  /**
   * Verifies an APK and the idsig that goes with it, in one reading: root hash, tree, digest of the
   * APK, and the signature if the idsig has one, which must then be by the APK's signer.
   *
   * @throws ApkException if either is refused
   * @throws IOException if either cannot be read
   */
  public static VerifiedApk verify(ImageSource apk, ApkPolicy policy, ImageSource idsig)
      throws IOException {
    SignedApk signed = signed(apk, policy);
    Idsig expected = Idsig.parse(idsig);
    IdsigCheck check = new IdsigCheck(expected, idsig, apk.size());
    VerifiedApk verified = signed.verifyContent(expected.salt(), check);
    check.finish(verified);
    return verified;
  }

  static VerifiedApk verify(ApkFile apk, ApkPolicy policy) throws IOException {
    return signed(apk, policy).verifyContent(ByteSlice.EMPTY, TreeSink.DISCARD);
  }

  /** Checks all but the content. */
  static SignedApk signed(ImageSource file, ApkPolicy policy) throws IOException {
    return signed(ApkFile.open(file), policy);
  }

  private static SignedApk signed(ApkFile apk, ApkPolicy policy) {
    SignerChoice.Chosen chosen = SignerChoice.choose(apk, policy);
    List<SignerVerifier> verified = new ArrayList<>();
    for (Signer signer : chosen.signers()) {
      verified.add(SignerVerifier.verify(signer));
    }
    return new SignedApk(apk, chosen.scheme(), verified, otherV2(apk, chosen.scheme()));
  }

  /** The v2 signers next to a v3 signature, for the report; or why they do not verify. */
  private static Optional<OtherScheme> otherV2(ApkFile apk, SignatureScheme scheme) {
    if (scheme == SignatureScheme.V2) {
      return Optional.empty();
    }
    return apk.signingBlock()
        .flatMap(block -> block.value(SigningBlock.V2))
        .map(
            block -> {
              try {
                return new OtherScheme(
                    Signer.parseV2(block, apk.base()).stream().map(SignerVerifier::verify).toList(),
                    "");
              } catch (ApkException e) {
                return new OtherScheme(List.of(), e.reason());
              }
            });
  }

  /** Signers that do not decide. */
  record OtherScheme(List<SignerVerifier> signers, String fault) {}
}
