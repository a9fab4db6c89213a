package io.github.avf4j.microdroid.apex;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Foreign;
import io.github.avf4j.microdroid.apk.Apksig;
import io.github.avf4j.microdroid.apk.TestKeys;
import io.github.avf4j.microdroid.erofs.ErofsImage;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.Progress;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ApexWriterTest {
  @TempDir Path folder;
  private Path payload = Path.of("");
  private Path apex = Path.of("");

  @BeforeEach
  void makePayload() throws Exception {
    payload = Apexes.payload(folder);
    apex = folder.resolve("out.apex");
  }

  private ApexWriter writer() {
    return new ApexWriter(Apexes.MANIFEST, Apexes.key());
  }

  @ParameterizedTest
  @ValueSource(strings = {"testkey_rsa2048.pem", "testkey_rsa4096.pem"})
  void makesWhatItVerifies(String key) throws Exception {
    AvbSigner signer = Apexes.key(key);
    VerifiedApex made = new ApexWriter(Apexes.MANIFEST, signer).write(payload, apex, Progress.NONE);
    VerifiedApex read = ApexVerifier.verify(ImageSource.of(Files.readAllBytes(apex)), false);
    assertThat(read).isEqualTo(made);
    assertThat(read.manifest()).isEqualTo(Apexes.MANIFEST);
    assertThat(read.publicKey()).isEqualTo(signer.publicKey());
    assertThat(read.fileSystem()).isEqualTo(PayloadFileSystem.EROFS);
    assertThat(read.payloadOffset() % 4096).isZero();
    assertThat(read.payloadSize() % 4096).isZero();
    assertThat(read.hashtree().salt().length()).isEqualTo(32);
    assertThat(read.outer()).isEmpty();
    assertThat(read.remarks()).singleElement().asString().contains("no outer signature");
  }

  @Test
  void leavesNothingButTheFile() throws Exception {
    writer().outerSignedBy(TestKeys.of("rsa2048")).write(payload, apex, Progress.NONE);
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(payload, apex);
    }
  }

  @Test
  void makesTheSameBytesOfTheSameInput() throws Exception {
    writer().write(payload, apex, Progress.NONE);
    byte[] first = Files.readAllBytes(apex);
    Path again = Files.createDirectory(folder.resolve("again"));
    writer().write(Apexes.payload(again), apex, Progress.NONE);
    assertThat(apex).hasBinaryContent(first);
    ApexWriter signed = writer().outerSignedBy(TestKeys.of("rsa2048"));
    signed.write(payload, apex, Progress.NONE);
    byte[] outer = Files.readAllBytes(apex);
    signed.write(payload, apex, Progress.NONE);
    assertThat(apex).hasBinaryContent(outer);
  }

  @Test
  void keepsThePlaceOfThePayloadWhenTheWholeIsSigned() throws Exception {
    VerifiedApex made =
        writer().outerSignedBy(TestKeys.of("secp256r1")).write(payload, apex, Progress.NONE);
    assertThat(made.payloadOffset() % 4096).isZero();
    assertThat(made.remarks()).isEmpty();
    assertThat(made.outer().orElseThrow().manifest().packageName()).isEqualTo("com.example.module");
    assertThat(made.outer().orElseThrow().manifest().versionCode()).isEqualTo(7);
    assertThat(Apksig.accepts(Files.readAllBytes(apex), 36)).as("apksig").isTrue();
  }

  @Test
  void takesVersionsOfMoreThan32Bits() throws Exception {
    long version = 0x1_2345_6789_aL;
    VerifiedApex made =
        new ApexWriter(ApexManifest.of("a", version), Apexes.key())
            .outerSignedBy(TestKeys.of("secp256r1"))
            .write(payload, apex, Progress.NONE);
    assertThat(made.manifest().version()).isEqualTo(version);
    assertThat(made.outer().orElseThrow().manifest().versionCode()).isEqualTo(version);
  }

  @Test
  void takesAManifestThatIsInThePayloadAlready() throws Exception {
    Files.write(payload.resolve(ApexFile.MANIFEST), Apexes.MANIFEST.encode());
    writer().write(payload, apex, Progress.NONE);
    Files.write(payload.resolve(ApexFile.MANIFEST), ApexManifest.of("other", 1).encode());
    byte[] before = Files.readAllBytes(apex);
    assertThatThrownBy(() -> writer().write(payload, apex, Progress.NONE))
        .isInstanceOfSatisfying(
            ApexException.class, e -> assertThat(e.error()).isEqualTo(ApexError.REQUEST));
    assertThat(apex).hasBinaryContent(before);
  }

  /** As Android's own virtualization module has one, with the images of its guests. */
  @Test
  void takesAPayloadThatEndsWithAnImageOfAvb() throws Exception {
    byte[] image = new byte[8192];
    byte[] footer = new AvbFooter(0, 0, 256).encode();
    System.arraycopy(footer, 0, image, image.length - footer.length, footer.length);
    Path small = Files.createDirectory(folder.resolve("small"));
    Files.write(small.resolve("zzz.img"), image);
    VerifiedApex made = writer().write(small, apex, Progress.NONE);
    byte[] bytes = Files.readAllBytes(apex);
    int start = (int) made.payloadOffset();
    int size = (int) made.hashtree().imageSize();
    Path data = Files.write(folder.resolve("data"), Arrays.copyOfRange(bytes, start, start + size));
    try (FileChannel file = FileChannel.open(data)) {
      ErofsImage payload = ErofsImage.open(ImageSource.of(file));
      assertThat(payload.data(payload.find("zzz.img").orElseThrow()).readRange(0, image.length))
          .isEqualTo(image);
      assertThat(payload.superblock().blocks() * 4096).as("a block more").isEqualTo(size - 4096L);
    }
    Foreign.run("erofs-utils", "fsck.erofs", data);
  }

  @Test
  void leavesTheOldFileIfItFails() throws Exception {
    Files.writeString(apex, "old");
    Path link = Files.createSymbolicLink(payload.resolve("link"), Path.of("/nowhere"));
    writer().write(payload, apex, Progress.NONE);
    Files.delete(link);
    Files.writeString(apex, "old");
    Foreign.run("coreutils", "mkfifo", payload.resolve("fifo"));
    assertThatThrownBy(() -> writer().write(payload, apex, Progress.NONE))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("FIFO");
    assertThatThrownBy(() -> writer().write(folder.resolve("no"), apex, Progress.NONE))
        .isInstanceOf(NoSuchFileException.class);
    assertThat(apex).hasContent("old");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(payload, apex);
    }
  }

  @Test
  void saysHowFarItIs() throws Exception {
    long[] last = {0, 1};
    writer()
        .write(
            payload,
            apex,
            (done, total) -> {
              assertThat(done).isBetween(0L, total);
              // done / total never falls.
              assertThat((double) done / total).isGreaterThanOrEqualTo((double) last[0] / last[1]);
              last[0] = done;
              last[1] = total;
            });
    assertThat(last[0]).isEqualTo(last[1]);
  }

  @Test
  void isTakenByDebiansApksigner() throws Exception {
    writer().outerSignedBy(TestKeys.of("rsa2048")).write(payload, apex, Progress.NONE);
    assertThat(
            Foreign.run(
                "apksigner", "apksigner", "verify", "--verbose", "--min-sdk-version=30", apex))
        .contains("Verified using v3 scheme (APK Signature Scheme v3): true");
  }

  @Test
  void isReadByUnzip() throws Exception {
    writer().outerSignedBy(TestKeys.of("rsa2048")).write(payload, apex, Progress.NONE);
    assertThat(Foreign.run("unzip", "unzip", "-t", apex)).contains("No errors detected");
    try (ZipFile zip = new ZipFile(apex.toFile())) {
      assertThat(zip.stream().map(java.util.zip.ZipEntry::getName))
          .contains(
              "AndroidManifest.xml", ApexFile.MANIFEST, ApexFile.PUBLIC_KEY, ApexFile.PAYLOAD);
    }
  }

  @Test
  void makesAPayloadThatLinuxToolsTake() throws Exception {
    VerifiedApex made = writer().write(payload, apex, Progress.NONE);
    byte[] bytes = Files.readAllBytes(apex);
    HashtreeDescriptor tree = made.hashtree();
    int start = (int) made.payloadOffset();
    Path data =
        Files.write(
            folder.resolve("data"),
            Arrays.copyOfRange(bytes, start, start + (int) tree.imageSize()));
    int hashAt = start + (int) tree.treeOffset();
    Path hash =
        Files.write(
            folder.resolve("hash"),
            Arrays.copyOfRange(bytes, hashAt, hashAt + (int) tree.treeSize()));
    Foreign.run("erofs-utils", "fsck.erofs", data);
    Foreign.run(
        "cryptsetup-bin",
        "veritysetup",
        "verify",
        data,
        hash,
        tree.rootDigest().toHex(),
        "--no-superblock",
        "--format=1",
        "--hash=sha256",
        "--data-block-size=4096",
        "--hash-block-size=4096",
        "--data-blocks=" + tree.imageSize() / 4096,
        "--salt=" + tree.salt().toHex());
  }
}
