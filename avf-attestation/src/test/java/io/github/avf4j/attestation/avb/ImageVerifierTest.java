package io.github.avf4j.attestation.avb;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageVerifierTest {
  @TempDir Path directory;
  private Path kernel;

  @BeforeEach
  void copyImages() throws IOException {
    kernel = write("kernel.img", Vectors.bytes("avb/images/kernel_microdroid_style.img"));
    write("initrd_normal", Vectors.bytes("avb/images/initrd_normal"));
    write("initrd_debug", Vectors.bytes("avb/images/initrd_debug"));
  }

  @Test
  void verifiesTheImageAndTheFilesNextToIt() throws IOException {
    ImageReport report =
        new ImageVerifier().expectedKey(TestKeys.rsa4096().publicKey()).verify(kernel);
    assertThat(report.isOk()).as(report.toString()).isTrue();
    assertThat(report.checks()).hasSize(4);
  }

  @Test
  void failsWithoutAFileThatIsDescribed() throws IOException {
    Files.delete(directory.resolve("initrd_debug"));
    ImageReport report = new ImageVerifier().verify(kernel);
    assertThat(report.isOk()).isFalse();
    assertThat(report.decisive().subject()).isEqualTo("hash of initrd_debug");
  }

  @Test
  void takesTheFileThatIsSaidToBeAPartition() throws IOException {
    Path elsewhere = Files.createDirectory(directory.resolve("elsewhere")).resolve("ramdisk");
    Files.move(directory.resolve("initrd_debug"), elsewhere);
    ImageVerifier verifier = new ImageVerifier().partition("initrd_debug", elsewhere);
    assertThat(verifier.verify(kernel).isOk()).isTrue();
    Files.write(elsewhere, new byte[9000]);
    assertThat(verifier.verify(kernel).decisive().subject()).isEqualTo("hash of initrd_debug");
  }

  @Test
  void failsWithAnotherKey() throws IOException {
    ImageReport report =
        new ImageVerifier().expectedKey(TestKeys.rsa2048().publicKey()).verify(kernel);
    assertThat(report.decisive().detail()).contains("another key");
  }

  @Test
  void prefersTheFileThatIsNamedLikeThePartition() throws IOException {
    write("boot.img", new byte[9000]);
    assertThat(new ImageVerifier().verify(kernel).decisive().subject()).isEqualTo("hash of boot");
  }

  @Test
  void refusesFlagsUnlessAllowed() throws IOException {
    Path vbmeta = write("vbmeta.img", new VbmetaBuilder().flags(2).build().toByteArray());
    assertThat(new ImageVerifier().verify(vbmeta).isOk()).isFalse();
    assertThat(new ImageVerifier().allowFlags().verify(vbmeta).isOk()).isTrue();
  }

  @Test
  void followsChainsWithTheKeyTheyName() throws IOException {
    write("boot.img", Vectors.bytes("avb/images/kernel_microdroid_style.img"));
    Path right = write("vbmeta.img", chainTo(TestKeys.rsa4096()));
    assertThat(new ImageVerifier().verify(right).isOk()).as("not followed").isFalse();
    ImageReport followed = new ImageVerifier().followChains().verify(right);
    assertThat(followed.isOk()).as(followed.toString()).isTrue();
    assertThat(
            new ImageVerifier()
                .expectedChain("boot", 3, TestKeys.rsa4096().publicKey())
                .verify(right)
                .isOk())
        .isTrue();
    Path wrong = write("vbmeta2.img", chainTo(TestKeys.rsa2048()));
    assertThat(new ImageVerifier().followChains().verify(wrong).isOk()).isFalse();
  }

  @Test
  void neverLeavesTheDirectory() throws IOException {
    Path inner = Files.createDirectory(directory.resolve("inner"));
    byte[] vbmeta =
        new VbmetaBuilder()
            .add(
                new HashDescriptor(
                    4200, "sha256", "../initrd_normal", ByteSlice.EMPTY, ByteSlice.EMPTY, 0))
            .build()
            .toByteArray();
    Path image = Files.write(inner.resolve("vbmeta"), vbmeta);
    assertThat(new ImageVerifier().verify(image).decisive().detail()).contains("no file");
  }

  @Test
  void findsDamageInDataAndTree() throws IOException {
    Path image = write("system.img", KnownImages.counting(1052672));
    HashtreeFooter.forPartition("system").addTo(image, new VbmetaBuilder());
    assertThat(new ImageVerifier().verify(image).isOk()).isTrue();
    byte[] good = Files.readAllBytes(image);
    for (int at : new int[] {5, 1052671, 1052672, 1052672 + 8192}) {
      byte[] bad = good.clone();
      bad[at] ^= 1;
      Files.write(image, bad);
      assertThat(new ImageVerifier().verify(image).isOk()).as("byte %d", at).isFalse();
    }
  }

  private static byte[] chainTo(AvbSigner signer) {
    return new VbmetaBuilder()
        .add(new ChainPartitionDescriptor(3, "boot", signer.publicKey().blob(), 0))
        .build()
        .toByteArray();
  }

  private Path write(String name, byte[] content) throws IOException {
    return Files.write(directory.resolve(name), content);
  }
}
