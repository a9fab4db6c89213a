package io.github.avf4j.attestation.verity;

import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MerkleTreeTest {
  private static final ByteSlice VECTOR_SALT = ByteSlice.ofHex("010203040506");

  @Test
  void makesTheTreeOfFsVerity() throws IOException {
    byte[] data = Vectors.bytes("apk/input.1M");
    MerkleParameters parameters = MerkleParameters.fsVerity(VerityHash.SHA256, 4096, VECTOR_SALT);
    byte[] tree = new byte[(int) MerkleLayout.of(parameters, data.length).treeSize()];
    ByteSlice root = MerkleTree.build(ImageSource.of(data), parameters, TreeSink.into(tree));
    assertThat(root).isEqualTo(Vectors.slice("apk/input.1M.descriptor").slice(16, 48));
    assertThat(tree).isEqualTo(Vectors.bytes("apk/input.1M.hash"));
  }

  @Test
  void hashesASingleBlockWithoutATree() throws IOException {
    byte[] data = Vectors.bytes("apk/input.4K");
    MerkleParameters parameters = MerkleParameters.fsVerity(VerityHash.SHA256, 4096, VECTOR_SALT);
    assertThat(MerkleLayout.of(parameters, data.length).treeSize()).isZero();
    assertThat(MerkleTree.build(ImageSource.of(data), parameters, TreeSink.DISCARD))
        .isEqualTo(Vectors.slice("apk/input.4K.descriptor").slice(16, 48));
  }

  @Test
  void makesTheTreeOfAnIdsig() throws IOException {
    byte[] apk = Vectors.bytes("apk/v4-digest-v3-Sha256withEC.apk");
    byte[] idsig = Vectors.bytes("apk/v4-digest-v3-Sha256withEC.apk.idsig");
    MerkleParameters parameters =
        MerkleParameters.fsVerity(VerityHash.SHA256, 4096, ByteSlice.EMPTY);
    byte[] tree = new byte[4096];
    ByteSlice root = MerkleTree.build(ImageSource.of(apk), parameters, TreeSink.into(tree));
    assertThat(root.toHex())
        .isEqualTo("77f063b48b63f846690fa76450a8d3b61a295b6158f50592e873f76dbeeb0201");
    assertThat(tree).isEqualTo(Arrays.copyOfRange(idsig, idsig.length - 4096, idsig.length));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 0", "4096, 0", "4097, 4096", "524288, 4096", "524289, 12288"})
  void hasTheSizeThatTheFormatSays(long data, long tree) {
    MerkleParameters parameters =
        MerkleParameters.fsVerity(VerityHash.SHA256, 4096, ByteSlice.EMPTY);
    assertThat(MerkleLayout.of(parameters, data).treeSize()).isEqualTo(tree);
  }

  @Test
  void givesZerosForNoData() throws IOException {
    assertThat(
            MerkleTree.build(
                    ImageSource.of(new byte[0]),
                    MerkleParameters.fsVerity(VerityHash.SHA256, 4096, ByteSlice.EMPTY),
                    TreeSink.DISCARD)
                .isAllZero())
        .isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "SHA256, 4096, 4096",
    "SHA1, 4096, 4096",
    "SHA512, 1024, 4096",
    "BLAKE2B_256, 512, 1024",
    "SHA256, 65536, 512"
  })
  void givesTheSameTreeForAnyNumberOfThreads(VerityHash hash, int data, int block)
      throws IOException {
    byte[] bytes = new byte[3_000_001];
    new Random(1).nextBytes(bytes);
    MerkleParameters parameters =
        MerkleParameters.dmVerity(hash, data, block, ByteSlice.ofHex("00ff01"));
    int size = (int) MerkleLayout.of(parameters, bytes.length).treeSize();
    byte[] one = new byte[size];
    byte[] many = new byte[size];
    ImageSource source = ImageSource.of(bytes);
    ByteSlice root = MerkleTree.build(source, parameters, TreeSink.into(one), 1);
    assertThat(MerkleTree.build(source, parameters, TreeSink.into(many), 7)).isEqualTo(root);
    assertThat(many).isEqualTo(one);
    byte[] top = new byte[parameters.prefix().length() + block];
    parameters.prefix().copyTo(top, 0);
    System.arraycopy(one, 0, top, 3, block);
    assertThat(root.toByteArray()).isEqualTo(hash.newDigest().digest(top));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 100", "0, 1048576", "77, 1500001", "524288, 2097152"})
  void digestsAFileLikeItsBytes(int from, int length, @TempDir Path directory) throws IOException {
    byte[] bytes = new byte[3_000_000];
    new Random(2).nextBytes(bytes);
    Path path = Files.write(directory.resolve("file"), bytes);
    MessageDigest read = VerityHash.SHA256.newDigest();
    MessageDigest direct = VerityHash.SHA256.newDigest();
    direct.update(bytes, from, length);
    try (FileChannel file = FileChannel.open(path, READ, WRITE)) {
      ImageSource.of(file).digest(read, from, length);
      assertThat(read.digest()).isEqualTo(direct.digest());
      ImageSource before = ImageSource.of(file);
      file.truncate(2_000_000);
      assertThatThrownBy(() -> before.digest(read, 0, 3_000_000)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void reportsDataThatEndsEarly() {
    ImageSource liar =
        new ImageSource() {
          @Override
          public long size() {
            return 1 << 24;
          }

          @Override
          public void read(long position, byte[] target, int offset, int length)
              throws IOException {
            throw new EOFException("gone");
          }
        };
    MerkleParameters parameters =
        MerkleParameters.dmVerity(VerityHash.SHA256, 4096, 4096, ByteSlice.EMPTY);
    assertThatThrownBy(() -> MerkleTree.build(liar, parameters, TreeSink.DISCARD, 3))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("gone");
  }
}
