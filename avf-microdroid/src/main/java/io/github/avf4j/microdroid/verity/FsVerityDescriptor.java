package io.github.avf4j.microdroid.verity;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleParameters;
import io.github.avf4j.attestation.verity.MerkleTree;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What fs-verity says of a file: SHA-256 over blocks of 4096 bytes. Immutable and thread-safe.
 *
 * @param dataSize the bytes of the file
 * @param rootHash the root of its tree, 32 bytes; zeros for no data
 * @param salt at most 32 bytes
 */
public record FsVerityDescriptor(long dataSize, ByteSlice rootHash, ByteSlice salt) {
  /** The bytes of an encoded descriptor. */
  public static final int SIZE = 256;

  /** The block size. */
  public static final int BLOCK = 4096;

  private static final int MAX_SALT = 32;
  private static final byte VERSION = 1;
  private static final byte SHA256 = 1;
  private static final byte LOG2_BLOCK = 12;
  private static final int ROOT_AT = 16;
  private static final int SALT_AT = 80;

  /** Checks the lengths. */
  public FsVerityDescriptor {
    if (dataSize < 0) {
      throw new IllegalArgumentException("dataSize must not be negative but was " + dataSize);
    }
    if (rootHash.length() != VerityHash.SHA256.digestSize()) {
      throw new IllegalArgumentException(
          "rootHash must have 32 bytes but has " + rootHash.length());
    }
    requireSalt(salt);
  }

  /** How the tree is made. */
  public static MerkleParameters parameters(ByteSlice salt) {
    requireSalt(salt);
    return MerkleParameters.fsVerity(VerityHash.SHA256, BLOCK, salt);
  }

  /** Reads a file once, hashes it on all processors, and hands its tree to the sink. */
  public static FsVerityDescriptor of(ImageSource file, ByteSlice salt, TreeSink tree)
      throws IOException {
    ByteSlice root = MerkleTree.build(file, parameters(salt), tree);
    return new FsVerityDescriptor(file.size(), root, salt);
  }

  /** The form that the kernel hashes and signs. */
  public byte[] encode() {
    byte[] bytes = new byte[SIZE];
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(VERSION)
        .put(SHA256)
        .put(LOG2_BLOCK)
        .put((byte) salt.length())
        .putInt(0)
        .putLong(dataSize);
    rootHash.copyTo(bytes, ROOT_AT);
    salt.copyTo(bytes, SALT_AT);
    return bytes;
  }

  /** The fs-verity digest of the file: SHA-256 of the encoded form. */
  public ByteSlice digest() {
    return ByteSlice.takeOver(VerityHash.SHA256.newDigest().digest(encode()));
  }

  private static void requireSalt(ByteSlice salt) {
    if (salt.length() > MAX_SALT) {
      throw new IllegalArgumentException(
          "salt must have at most 32 bytes but has " + salt.length());
    }
  }
}
