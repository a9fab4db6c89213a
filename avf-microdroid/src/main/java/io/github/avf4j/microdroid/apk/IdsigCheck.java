package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleLayout;
import io.github.avf4j.attestation.verity.TreeSink;
import java.io.IOException;
import java.util.Arrays;

/** Holds an idsig against an APK: as the sink of the APK's tree, then in {@link #finish}. */
final class IdsigCheck implements TreeSink {
  private static final long NOWHERE = -1;

  private final Idsig idsig;
  private final ImageSource file;
  private final long apkSize;
  private long firstFault = NOWHERE;

  IdsigCheck(Idsig idsig, ImageSource file, long apkSize) {
    this.idsig = idsig;
    this.file = file;
    this.apkSize = apkSize;
    long expected = MerkleLayout.of(Idsig.treeParameters(idsig.salt()), apkSize).treeSize();
    if (expected != idsig.treeSize()) {
      throw new ApkException(
          ApkError.IDSIG_TREE,
          "the tree of an APK of %d bytes has %d bytes but this has %d"
              .formatted(apkSize, expected, idsig.treeSize()),
          idsig.treeOffset() - 4);
    }
  }

  @Override
  public void write(long position, byte[] bytes, int offset, int length) throws IOException {
    byte[] stored = file.readRange(idsig.treeOffset() + position, length);
    int at = Arrays.mismatch(bytes, offset, offset + length, stored, 0, length);
    if (at >= 0 && (firstFault == NOWHERE || position + at < firstFault)) {
      firstFault = position + at;
    }
  }

  /** Refuses the idsig unless all of it is right. */
  void finish(VerifiedApk apk) {
    if (!idsig.apkDigest().equals(apk.contentDigest())) {
      throw new ApkException(
          ApkError.IDSIG_APK_DIGEST,
          "the idsig is for an APK with the digest %s but this has %s"
              .formatted(idsig.apkDigest().toHex(), apk.contentDigest().toHex()));
    }
    if (!idsig.rootHash().equals(apk.rootHash())) {
      throw new ApkException(
          ApkError.IDSIG_ROOT_HASH,
          "the root hash is %s but must be %s"
              .formatted(idsig.rootHash().toHex(), apk.rootHash().toHex()),
          idsig.rootHash().offset());
    }
    if (firstFault != NOWHERE) {
      throw new ApkException(
          ApkError.IDSIG_TREE, "the tree is not that of the APK", idsig.treeOffset() + firstFault);
    }
    if (idsig.isSigned()) {
      requireSignature(apk);
    }
  }

  private void requireSignature(VerifiedApk apk) {
    if (!idsig.certificate().equals(apk.certificates().get(0))
        || !idsig.publicKey().equals(apk.publicKey())) {
      throw new ApkException(
          ApkError.IDSIG_SIGNATURE, "the idsig is signed by somebody else than the APK");
    }
    SignatureAlgorithm algorithm = SignatureAlgorithm.of(idsig.signatureAlgorithm()).orElseThrow();
    if (!algorithm.verifies(
        SignerVerifier.publicKey(algorithm, idsig.publicKey(), idsig.publicKey().offset()),
        idsig.signedData(apkSize),
        idsig.signature())) {
      throw new ApkException(
          ApkError.IDSIG_SIGNATURE, "the signature does not verify", idsig.signature().offset());
    }
  }
}
