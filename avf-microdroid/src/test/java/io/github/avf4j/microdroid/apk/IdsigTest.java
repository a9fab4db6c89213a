package io.github.avf4j.microdroid.apk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleLayout;
import io.github.avf4j.attestation.verity.MerkleTree;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.microdroid.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdsigTest {
  private static final byte[] APK = Vectors.bytes("small-ec.apk");
  private static final byte[] SIGNED = Vectors.bytes("small-ec.apk.idsig");
  private static final byte[] UNSIGNED = Vectors.bytes("small-ec.apk.unsigned.idsig");

  @TempDir Path folder;

  private static VerifiedApk verify(byte[] idsig) throws IOException {
    return ApkVerifier.verify(ImageSource.of(APK), ApkPolicy.DEFAULT, ImageSource.of(idsig));
  }

  private static void refused(byte[] idsig, ApkError error) {
    assertThatThrownBy(() -> verify(idsig))
        .isInstanceOfSatisfying(
            ApkException.class, refusal -> assertThat(refusal.error()).isEqualTo(error));
  }

  /** Offsets are those of the format; the vectors have an empty salt. */
  @ParameterizedTest
  @CsvSource({
    "0, IDSIG_FORM",
    "4, IDSIG_FORM",
    "8, IDSIG_FORM",
    "12, IDSIG_FORM",
    "13, IDSIG_FORM",
    "17, IDSIG_FORM",
    "21, IDSIG_ROOT_HASH",
    "52, IDSIG_ROOT_HASH",
    "53, IDSIG_FORM",
    "57, IDSIG_FORM",
    "61, IDSIG_APK_DIGEST",
    "92, IDSIG_APK_DIGEST",
    "93, IDSIG_FORM",
    "97, IDSIG_SIGNATURE",
    "430, IDSIG_SIGNATURE",
    "431, IDSIG_FORM",
    "435, IDSIG_FORM",
    "439, IDSIG_SIGNATURE",
    "530, IDSIG_FORM",
    "534, IDSIG_FORM",
    "600, IDSIG_SIGNATURE",
    "609, IDSIG_FORM",
    "613, IDSIG_TREE",
    "4708, IDSIG_TREE"
  })
  void refusesAChangedByte(int at, ApkError error) {
    byte[] changed = SIGNED.clone();
    changed[at] ^= 1;
    refused(changed, error);
  }

  @Test
  void refusesEveryChangedByteOfAnUnsignedFileButTheAlgorithm() throws IOException {
    Set<Integer> algorithm = Set.of(105, 106, 107, 108);
    for (int at = 0; at < 200; at++) {
      byte[] changed = UNSIGNED.clone();
      changed[at] ^= 1;
      if (!algorithm.contains(at)) {
        assertThatThrownBy(() -> verify(changed)).as("byte " + at).isInstanceOf(ApkException.class);
      }
    }
    verify(UNSIGNED);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7, 60, 116, 117, 4212})
  void refusesAFileThatIsCutOff(int length) {
    refused(Arrays.copyOf(UNSIGNED, length), ApkError.IDSIG_FORM);
  }

  @Test
  void refusesBytesBehindTheTree() {
    refused(Arrays.copyOf(UNSIGNED, UNSIGNED.length + 1), ApkError.IDSIG_FORM);
  }

  @Test
  void refusesTheIdsigOfAnotherApk() {
    refused(Vectors.bytes("big-rsa4096.apk.idsig"), ApkError.IDSIG_TREE);
    refused(Vectors.bytes("v4-digest-v3-Sha256withEC.apk.idsig"), ApkError.IDSIG_APK_DIGEST);
  }

  @Test
  void honoursASalt() throws IOException {
    ByteSlice salt = ByteSlice.ofHex("00112233445566778899aabbccddeeff");
    byte[] tree =
        new byte[(int) MerkleLayout.of(Idsig.treeParameters(salt), APK.length).treeSize()];
    ByteSlice root =
        MerkleTree.build(ImageSource.of(APK), Idsig.treeParameters(salt), TreeSink.into(tree));
    Idsig plain = Idsig.parse(ImageSource.of(UNSIGNED));
    byte[] head =
        new Idsig(
                salt,
                root,
                plain.apkDigest(),
                ByteSlice.EMPTY,
                ByteSlice.EMPTY,
                ByteSlice.EMPTY,
                plain.signatureAlgorithm(),
                ByteSlice.EMPTY,
                0,
                tree.length)
            .head();
    byte[] salted = Arrays.copyOf(head, head.length + tree.length);
    System.arraycopy(tree, 0, salted, head.length, tree.length);
    VerifiedApk verified = verify(salted);
    assertThat(verified.salt()).isEqualTo(salt);
    assertThat(verified.rootHash()).isEqualTo(root).isNotEqualTo(plain.rootHash());
  }

  @Test
  void leavesAFileAloneThatIsRightAndReplacesAnyOther() throws IOException {
    Path apk = Files.write(folder.resolve("a.apk"), APK);
    Path idsig = Files.write(folder.resolve("a.idsig"), SIGNED);
    FileTime before = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(idsig, before);
    assertThat(IdsigWriter.createOrUpdate(apk, ApkPolicy.DEFAULT, idsig).kept()).isTrue();
    assertThat(Files.getLastModifiedTime(idsig)).isEqualTo(before);

    byte[] damaged = SIGNED.clone();
    damaged[4000] ^= 1;
    for (byte[] wrong : new byte[][] {damaged, {}, Vectors.bytes("big-rsa4096.apk.idsig")}) {
      Files.write(idsig, wrong);
      assertThat(IdsigWriter.createOrUpdate(apk, ApkPolicy.DEFAULT, idsig).kept()).isFalse();
      assertThat(idsig).hasBinaryContent(UNSIGNED);
    }
    Files.delete(idsig);
    assertThat(IdsigWriter.createOrUpdate(apk, ApkPolicy.DEFAULT, idsig).kept()).isFalse();
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("a.apk", "a.idsig");
  }

  @Test
  void leavesNothingBehindForAnApkThatIsRefused() throws IOException {
    byte[] changed = APK.clone();
    changed[5000] ^= 1;
    Path apk = Files.write(folder.resolve("a.apk"), changed);
    Path idsig = folder.resolve("a.idsig");
    assertThatThrownBy(() -> IdsigWriter.write(apk, ApkPolicy.DEFAULT, idsig))
        .isInstanceOf(ApkException.class);
    assertThat(folder.toFile().list()).containsExactly("a.apk");
  }

  @Test
  void doesNotReplaceWhatIsNoFile() throws IOException {
    Path apk = Files.write(folder.resolve("a.apk"), APK);
    Path target = Files.createDirectory(folder.resolve("directory"));
    assertThatThrownBy(() -> IdsigWriter.write(apk, ApkPolicy.DEFAULT, target))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is not a regular file");
    assertThat(target).isDirectory();
  }

  @Test
  void hasTheTreeThatTheKernelsToolVerifies() throws Exception {
    Path data = Files.write(folder.resolve("data"), APK);
    Idsig idsig = Idsig.parse(ImageSource.of(UNSIGNED));
    Path tree =
        Files.write(
            folder.resolve("tree"),
            Arrays.copyOfRange(UNSIGNED, (int) idsig.treeOffset(), UNSIGNED.length));
    Tool.run(
        folder,
        new byte[0],
        "veritysetup",
        "verify",
        "--no-superblock",
        "--hash=sha256",
        "--salt=-",
        data.toString(),
        tree.toString(),
        idsig.rootHash().toHex());
  }
}
