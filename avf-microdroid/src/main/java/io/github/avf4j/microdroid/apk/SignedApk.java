package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.DataTap;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleTree;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.microdroid.apk.ApkVerifier.OtherScheme;
import io.github.avf4j.microdroid.apk.SchemeResult.State;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An APK whose signatures verify, but whose content was not looked at yet.
 *
 * @param scheme the scheme that counts
 * @param signers one, or several by v2
 * @param other signers next to them that are only reported
 */
record SignedApk(
    ApkFile apk,
    SignatureScheme scheme,
    List<SignerVerifier> signers,
    Optional<OtherScheme> other) {

  /** The algorithm and digest that an idsig names. */
  SignerVerifier decisive() {
    return signers.get(0);
  }

  /** Reads the whole file once, for the content digest and the tree. */
  VerifiedApk verifyContent(ByteSlice salt, TreeSink sink) throws IOException {
    ManifestFile manifest = ManifestFile.read(apk);
    ImageSource file = apk.pinned();
    Map<ContentDigestKind, ChunkedDigest> chunked = new EnumMap<>(ContentDigestKind.class);
    boolean verity = false;
    for (SignerVerifier signer : allSigners()) {
      ContentDigestKind kind = signer.algorithm().digest();
      if (kind == ContentDigestKind.VERITY_SHA256) {
        verity = true;
      } else {
        chunked.computeIfAbsent(kind, key -> new ChunkedDigest(key, apk.bodyLength()));
      }
    }
    ByteSlice root =
        MerkleTree.build(
            file,
            Idsig.treeParameters(salt),
            sink,
            Runtime.getRuntime().availableProcessors(),
            tap(List.copyOf(chunked.values())));
    Map<ContentDigestKind, ByteSlice> digests = new EnumMap<>(ContentDigestKind.class);
    chunked.forEach(
        (kind, digest) ->
            digests.put(kind, digest.finish(apk.directoryBytes(), apk.endForDigest())));
    if (verity) {
      digests.put(ContentDigestKind.VERITY_SHA256, VerityDigest.compute(apk));
    }
    for (SignerVerifier signer : signers) {
      requireContent(signer, digests);
    }
    return new VerifiedApk(
        apk.size(),
        scheme,
        schemes(digests),
        (int) decisive().algorithm().id(),
        decisive().contentDigest(),
        decisive().certificates(),
        decisive().publicKey(),
        salt,
        root,
        manifest.info(),
        manifest.fault(),
        Libraries.remarks(apk.directory()),
        apk.directory().entries().stream().map(ZipEntry::name).toList());
  }

  private List<SignerVerifier> allSigners() {
    List<SignerVerifier> all = new ArrayList<>(signers);
    other.ifPresent(more -> all.addAll(more.signers()));
    return all;
  }

  private static DataTap tap(List<ChunkedDigest> digests) {
    return (position, bytes, length) -> {
      for (ChunkedDigest digest : digests) {
        digest.see(position, bytes, length);
      }
    };
  }

  private static void requireContent(
      SignerVerifier signer, Map<ContentDigestKind, ByteSlice> digests) {
    if (!signer.contentDigest().equals(digests.get(signer.algorithm().digest()))) {
      throw new ApkException(
          ApkError.CONTENT_DIGEST, "the content was changed after it was signed");
    }
    signer.requireCertificate();
  }

  private List<SchemeResult> schemes(Map<ContentDigestKind, ByteSlice> digests) {
    List<SchemeResult> results = new ArrayList<>();
    if (SignatureScheme.hasV1(apk.directory())) {
      results.add(new SchemeResult(SignatureScheme.V1, State.NOT_CHECKED, ""));
    }
    other.ifPresent(more -> results.add(result(more, digests)));
    if (scheme == SignatureScheme.V31) {
      results.add(
          new SchemeResult(
              SignatureScheme.V3, State.NOT_CHECKED, "v3.1 has a signer for this SDK level"));
    }
    results.add(new SchemeResult(scheme, State.VERIFIES, ""));
    return results;
  }

  private static SchemeResult result(OtherScheme other, Map<ContentDigestKind, ByteSlice> digests) {
    if (!other.fault().isEmpty()) {
      return new SchemeResult(SignatureScheme.V2, State.FAILS, other.fault());
    }
    try {
      other.signers().forEach(signer -> requireContent(signer, digests));
      return new SchemeResult(SignatureScheme.V2, State.VERIFIES, "");
    } catch (ApkException e) {
      return new SchemeResult(SignatureScheme.V2, State.FAILS, e.reason());
    }
  }
}
