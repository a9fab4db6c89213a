package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleLayout;
import io.github.avf4j.attestation.verity.MerkleParameters;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;

/**
 * The head of an idsig file (APK signature scheme v4): all but the tree.
 *
 * <p>The tree is of SHA-256 over blocks of 4096 bytes; other trees are refused. What the host of
 * AVF makes is unsigned: certificate, public key and signature are empty. Signing info blocks,
 * which a signing tool appends for a rotated key, are refused.
 *
 * @param salt at most 32 bytes
 * @param rootHash 32 bytes
 * @param apkDigest the content digest in the APK's signature
 * @param certificate DER, or empty
 * @param additionalData anything
 * @param publicKey DER SubjectPublicKeyInfo, or empty
 * @param signatureAlgorithm the id of the algorithm
 * @param signature over size, tree, digest and certificate; or empty
 * @param treeOffset where the tree starts in the file
 * @param treeSize its bytes; they end the file
 */
public record Idsig(
    ByteSlice salt,
    ByteSlice rootHash,
    ByteSlice apkDigest,
    ByteSlice certificate,
    ByteSlice additionalData,
    ByteSlice publicKey,
    long signatureAlgorithm,
    ByteSlice signature,
    long treeOffset,
    long treeSize) {
  static final int BLOCK = 4096;
  private static final int VERSION = 2;
  private static final int SHA256 = 1;
  private static final int LOG2_BLOCK = 12;
  private static final int MAX_SALT = 32;
  private static final int MAX_DIGEST = 64;
  private static final int MAX_HEAD = 1 << 20;

  /** How the tree of an idsig is made. */
  public static MerkleParameters treeParameters(ByteSlice salt) {
    return MerkleParameters.fsVerity(VerityHash.SHA256, BLOCK, salt);
  }

  /** The head of an unsigned idsig for an APK. */
  static Idsig unsigned(
      long apkSize, ByteSlice rootHash, ByteSlice apkDigest, long signatureAlgorithm) {
    Idsig head =
        new Idsig(
            ByteSlice.EMPTY,
            rootHash,
            apkDigest,
            ByteSlice.EMPTY,
            ByteSlice.EMPTY,
            ByteSlice.EMPTY,
            signatureAlgorithm,
            ByteSlice.EMPTY,
            0,
            MerkleLayout.of(treeParameters(ByteSlice.EMPTY), apkSize).treeSize());
    return head.withTreeAt(head.head().length);
  }

  /**
   * Parses the head of an idsig file. Reads at most 1 MiB.
   *
   * @throws ApkException of the error IDSIG_FORM
   * @throws IOException if the file cannot be read
   */
  public static Idsig parse(ImageSource file) throws IOException {
    ByteSlice bytes = ByteSlice.takeOver(file.readRange(0, (int) Math.min(file.size(), MAX_HEAD)));
    LittleEndian in = new LittleEndian(bytes, 0, ApkError.IDSIG_FORM);
    requireValue(in, "version", VERSION, in.u32("the version"));
    LittleEndian hashing = in.nested("the hashing info");
    requireValue(hashing, "hash algorithm", SHA256, hashing.u32("the hash algorithm"));
    requireValue(hashing, "log2 of the block size", LOG2_BLOCK, hashing.u8("the block size"));
    ByteSlice salt = hashing.prefixed("the salt");
    ByteSlice root = hashing.prefixed("the root hash");
    hashing.end("the hashing info");
    LittleEndian signing = in.nested("the signing info");
    ByteSlice apkDigest = signing.prefixed("the APK's digest");
    ByteSlice certificate = signing.prefixed("the certificate");
    ByteSlice additional = signing.prefixed("the additional data");
    ByteSlice publicKey = signing.prefixed("the public key");
    long algorithm = signing.u32("the signature algorithm");
    ByteSlice signature = signing.prefixed("the signature");
    signing.end("the signing info (blocks for a rotated key are not supported)");
    long treeSize = in.u32("the tree's size");
    long treeOffset = in.position();
    if (salt.length() > MAX_SALT
        || root.length() != VerityHash.SHA256.digestSize()
        || apkDigest.length() > MAX_DIGEST) {
      throw new ApkException(
          ApkError.IDSIG_FORM,
          "salt, root hash and APK digest have %d, %d and %d bytes; at most 32, exactly 32 and at"
                  .formatted(salt.length(), root.length(), apkDigest.length())
              + " most 64 are possible",
          12);
    }
    if (file.size() - treeOffset != treeSize) {
      throw new ApkException(
          ApkError.IDSIG_FORM,
          "the tree should have %d bytes but %d follow"
              .formatted(treeSize, file.size() - treeOffset),
          treeOffset);
    }
    if (SignatureAlgorithm.of(algorithm).isEmpty()) {
      throw new ApkException(
          ApkError.IDSIG_FORM, "the signature algorithm 0x%04x is unknown".formatted(algorithm));
    }
    return new Idsig(
        salt,
        root,
        apkDigest,
        certificate,
        additional,
        publicKey,
        algorithm,
        signature,
        treeOffset,
        treeSize);
  }

  /** Whether somebody signed it, or it pretends so. */
  public boolean isSigned() {
    return !(certificate.isEmpty() && publicKey.isEmpty() && signature.isEmpty());
  }

  /** The bytes before the tree. */
  byte[] head() {
    byte[] hashing =
        new LittleEndianWriter()
            .u32(SHA256)
            .u8(LOG2_BLOCK)
            .prefixed(salt)
            .prefixed(rootHash)
            .toByteArray();
    byte[] signing =
        new LittleEndianWriter()
            .prefixed(apkDigest)
            .prefixed(certificate)
            .prefixed(additionalData)
            .prefixed(publicKey)
            .u32(signatureAlgorithm)
            .prefixed(signature)
            .toByteArray();
    return new LittleEndianWriter()
        .u32(VERSION)
        .prefixed(ByteSlice.takeOver(hashing))
        .prefixed(ByteSlice.takeOver(signing))
        .u32(treeSize)
        .toByteArray();
  }

  /** What the signature covers, for an APK of this size. */
  ByteSlice signedData(long apkSize) {
    byte[] rest =
        new LittleEndianWriter()
            .u64(apkSize)
            .u32(SHA256)
            .u8(LOG2_BLOCK)
            .prefixed(salt)
            .prefixed(rootHash)
            .prefixed(apkDigest)
            .prefixed(certificate)
            .prefixed(additionalData)
            .toByteArray();
    return ByteSlice.takeOver(
        new LittleEndianWriter().u32(rest.length + 4L).bytes(rest).toByteArray());
  }

  private Idsig withTreeAt(long offset) {
    return new Idsig(
        salt,
        rootHash,
        apkDigest,
        certificate,
        additionalData,
        publicKey,
        signatureAlgorithm,
        signature,
        offset,
        treeSize);
  }

  private static void requireValue(LittleEndian in, String what, long expected, long value) {
    if (value != expected) {
      throw in.fail("the %s must be %d but is %d".formatted(what, expected, value));
    }
  }
}
