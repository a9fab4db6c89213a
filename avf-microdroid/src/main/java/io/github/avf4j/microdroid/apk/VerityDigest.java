package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleParameters;
import io.github.avf4j.attestation.verity.MerkleTree;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;

/**
 * The content digest of the verity algorithms: the root of a tree over the APK without its signing
 * block, and the number of those bytes. Takes a reading of its own.
 */
final class VerityDigest {
  private static final int BLOCK = 4096;

  /** Eight zero bytes of salt, which, unlike fs-verity's, are not filled up to a block. */
  private static final MerkleParameters PARAMETERS =
      new MerkleParameters(
          VerityHash.SHA256,
          BLOCK,
          BLOCK,
          ByteSlice.takeOver(new byte[8]),
          VerityHash.SHA256.digestSize());

  private VerityDigest() {}

  static ByteSlice compute(ApkFile apk) throws IOException {
    ImageSource signed = withoutBlock(apk);
    byte[] digest = new byte[ContentDigestKind.VERITY_SHA256.size()];
    MerkleTree.build(signed, PARAMETERS, TreeSink.DISCARD).copyTo(digest, 0);
    for (int i = 0; i < 8; i++) {
      digest[VerityHash.SHA256.digestSize() + i] = (byte) (signed.size() >> 8 * i);
    }
    return ByteSlice.takeOver(digest);
  }

  private static ImageSource withoutBlock(ApkFile apk) {
    ByteSlice directory = apk.directoryBytes();
    ByteSlice end = apk.endForDigest();
    byte[] tail = new byte[directory.length() + end.length()];
    directory.copyTo(tail, 0);
    end.copyTo(tail, directory.length());
    long body = apk.bodyLength();
    return new ImageSource() {
      @Override
      public long size() {
        return body + tail.length;
      }

      @Override
      public void read(long position, byte[] target, int offset, int length) throws IOException {
        requireInside(position, length);
        int before = (int) Math.max(0, Math.min(length, body - position));
        if (before > 0) {
          apk.file().read(position, target, offset, before);
        }
        int from = (int) Math.max(0, position - body);
        System.arraycopy(tail, from, target, offset + before, length - before);
      }
    };
  }
}
