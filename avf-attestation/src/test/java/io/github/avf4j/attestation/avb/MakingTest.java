package io.github.avf4j.attestation.avb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is made here must be, byte for byte, what avbtool made of the same input. */
class MakingTest {
  @TempDir Path directory;

  @Test
  void makesTheKnownHashFooter() throws IOException {
    Path image = write("image", KnownImages.withRuns());
    VbmetaBuilder vbmeta =
        new VbmetaBuilder()
            .signedBy(TestKeys.rsa2048(), AvbAlgorithm.SHA256_RSA2048)
            .releaseString("");
    HashFooter.Made made =
        HashFooter.forPartition("foobar")
            .salt(KnownImages.SALT)
            .partitionSize(1572864)
            .addTo(image, vbmeta);
    assertThat(made.descriptor().digest().toHex())
        .isEqualTo("9a58cc996d405e08a1e00f96dbfe9104fedf41cb83b1f5e4ed357fbcf58d88d9");
    assertThat(made.vbmeta()).isEqualTo(Vectors.slice("avb/images/known_hash_sha256.vbmeta"));
    byte[] file = Files.readAllBytes(image);
    assertThat(file).hasSize(1572864);
    AvbFooter footer = AvbFooter.parse(ByteSlice.copyOf(file).slice(file.length - 64));
    assertThat(footer).isEqualTo(new AvbFooter(1052672, 1052672, 1280));
  }

  @Test
  void makesTheKnownHashtreeFooters() throws IOException {
    assertHashtree(VerityHash.SHA1, "known_hashtree_sha1.vbmeta");
    assertHashtree(VerityHash.SHA256, "hashtree_sha256.vbmeta");
  }

  private void assertHashtree(VerityHash hash, String expected) throws IOException {
    Path image = write("image", KnownImages.counting(1052672));
    ByteSlice vector = Vectors.slice("avb/images/" + expected);
    HashtreeDescriptor known = (HashtreeDescriptor) VbmetaImage.parse(vector).descriptors().get(0);
    HashtreeFooter.Made made =
        HashtreeFooter.forPartition(known.partitionName())
            .hash(hash)
            .salt(KnownImages.SALT)
            .addTo(image, sameAs(vector));
    assertThat(made.descriptor()).isEqualTo(known);
    assertThat(made.vbmeta()).isEqualTo(vector);
    assertThat(new ImageVerifier().verify(image).checks()).allMatch(ImageReport.Check::passed);
  }

  private static VbmetaBuilder sameAs(ByteSlice vector) {
    VbmetaImage image = VbmetaImage.parse(vector);
    AvbAlgorithm algorithm = image.algorithm().orElseThrow();
    VbmetaBuilder builder =
        new VbmetaBuilder()
            .releaseString(image.header().releaseString())
            .rollbackIndex(image.header().rollbackIndex());
    for (AvbDescriptor descriptor : image.descriptors()) {
      if (!(descriptor instanceof AvbDescriptor.OfPartition)) {
        builder.add(descriptor);
      }
    }
    AvbSigner signer = algorithm.keyBits() == 2048 ? TestKeys.rsa2048() : TestKeys.rsa4096();
    return algorithm.isSigned() ? builder.signedBy(signer, algorithm) : builder;
  }

  @Test
  void makesTheKernelImageOfMicrodroid() throws IOException {
    Path kernel = write("kernel", KnownImages.linear(8292, 7, 3));
    VbmetaBuilder vbmeta =
        new VbmetaBuilder()
            .signedBy(TestKeys.rsa4096(), AvbAlgorithm.SHA256_RSA4096)
            .rollbackIndex(1)
            .add(PropertyDescriptor.of("com.android.virt.cap", "secretkeeper_protection"));
    for (String initrd : new String[] {"initrd_normal", "initrd_debug"}) {
      Path file = write(initrd, Vectors.bytes("avb/images/" + initrd));
      vbmeta.includeDescriptorsOf(
          VbmetaImage.parse(
              HashFooter.forPartition(initrd)
                  .salt(KnownImages.saltOf(initrd))
                  .makeFor(file, new VbmetaBuilder())
                  .vbmeta()));
    }
    HashFooter.forPartition("boot").salt(KnownImages.saltOf("bootloader")).addTo(kernel, vbmeta);
    assertThat(Files.readAllBytes(kernel))
        .isEqualTo(Vectors.bytes("avb/images/kernel_microdroid_style.img"));
  }

  @Test
  void makesTheKernelImageOfRialto() throws IOException {
    byte[] expected = Vectors.bytes("avb/images/kernel_rialto_style.img");
    AvbFooter footer = AvbFooter.parse(ByteSlice.copyOf(expected).slice(expected.length - 64));
    Path kernel = write("kernel", Arrays.copyOf(expected, (int) footer.originalImageSize()));
    VbmetaBuilder vbmeta =
        new VbmetaBuilder()
            .signedBy(TestKeys.rsa4096(), AvbAlgorithm.SHA256_RSA4096)
            .rollbackIndex(1)
            .add(PropertyDescriptor.of("com.android.virt.cap", "remote_attest"));
    HashFooter footerMaker =
        HashFooter.forPartition("boot")
            .salt(KnownImages.saltOf("rialto_salt"))
            .partitionSize(expected.length);
    footerMaker.addTo(kernel, vbmeta);
    assertThat(Files.readAllBytes(kernel)).isEqualTo(expected);
    footerMaker.addTo(kernel, vbmeta);
    assertThat(Files.readAllBytes(kernel)).as("a second run").isEqualTo(expected);
  }

  @Test
  void hasTheKnownRootsAndSizesOfSmallTrees() throws IOException {
    Path eighteen = write("eighteen", KnownImages.counting(73728));
    HashtreeDescriptor tree =
        HashtreeFooter.forPartition("p")
            .hash(VerityHash.SHA1)
            .salt(KnownImages.SALT)
            .fecRoots(2)
            .addTo(eighteen, new VbmetaBuilder())
            .descriptor();
    assertThat(tree.rootDigest().toHex()).isEqualTo("2f73fb340e982794643e1121d82d5195677c2b31");
    assertThat(tree.treeSize()).isEqualTo(4096);
    assertThat(tree.fecOffset()).isEqualTo(77824);
    assertThat(tree.fecSize()).isEqualTo(8192);
    Path one = write("one", KnownImages.counting(4096));
    HashtreeDescriptor single =
        HashtreeFooter.forPartition("p")
            .hash(VerityHash.SHA1)
            .salt(KnownImages.SALT)
            .addTo(one, new VbmetaBuilder())
            .descriptor();
    assertThat(single.rootDigest().toHex()).isEqualTo("4bd1e1f0aa1c2c793bb9f3e52de6ae7393889e61");
    assertThat(single.treeSize()).isZero();
  }

  @Test
  void leavesTheFileAloneWhenItIsTooLarge() throws IOException {
    byte[] content = KnownImages.counting(100000);
    Path image = write("image", content);
    HashFooter footer = HashFooter.forPartition("p").partitionSize(69632 + 4096);
    assertThatThrownBy(() -> footer.addTo(image, new VbmetaBuilder()))
        .isInstanceOf(AvbException.class)
        .hasMessageContaining("at most 4096");
    assertThat(Files.readAllBytes(image)).isEqualTo(content);
  }

  @Test
  void raisesTheRequiredVersion() {
    assertThat(minorOf(new VbmetaBuilder())).isZero();
    assertThat(minorOf(new VbmetaBuilder().rollbackIndexLocation(1))).isEqualTo(2);
    assertThat(
            minorOf(
                new VbmetaBuilder()
                    .add(
                        new ChainPartitionDescriptor(
                            1, "p", TestKeys.rsa2048().publicKey().blob(), 1))))
        .isEqualTo(3);
    assertThat(
            minorOf(
                new VbmetaBuilder()
                    .add(
                        new HashDescriptor(1, "sha256", "p", ByteSlice.EMPTY, ByteSlice.EMPTY, 0))))
        .isEqualTo(1);
  }

  @Test
  void refusesAnImageThatNobodyWouldRead() {
    VbmetaBuilder builder =
        new VbmetaBuilder().add(new PropertyDescriptor("k", ByteSlice.takeOver(new byte[65536])));
    assertThatThrownBy(builder::build).isInstanceOf(AvbException.class);
  }

  @Test
  void writesNothingThatNobodyWouldRead() {
    ByteSlice key = TestKeys.rsa2048().publicKey().blob();
    for (AvbDescriptor descriptor :
        new AvbDescriptor[] {
          new KernelCommandLineDescriptor(0, "a\0b"), new ChainPartitionDescriptor(0, "p", key, 0)
        }) {
      assertThatThrownBy(descriptor::encode).isInstanceOf(AvbException.class);
    }
  }

  @Test
  void putsTheCommandLinesOfARootBeforeOthers() throws IOException {
    Path image = write("root", KnownImages.counting(8192));
    VbmetaBuilder vbmeta =
        new VbmetaBuilder()
            .add(new KernelCommandLineDescriptor(0, "last=1"))
            .add(PropertyDescriptor.of("k", "v"));
    ByteSlice made = HashtreeFooter.forPartition("root").asRoot().addTo(image, vbmeta).vbmeta();
    assertThat(VbmetaImage.parse(made).descriptors())
        .extracting(descriptor -> descriptor.getClass().getSimpleName())
        .containsExactly(
            "HashtreeDescriptor",
            "PropertyDescriptor",
            "KernelCommandLineDescriptor",
            "KernelCommandLineDescriptor",
            "KernelCommandLineDescriptor");
    HashtreeFooter persistent = HashtreeFooter.forPartition("root").asRoot().persistentDigest();
    assertThatThrownBy(() -> persistent.addTo(image, new VbmetaBuilder()))
        .isInstanceOf(AvbException.class)
        .hasMessageContaining("persistent");
    assertThat(Files.size(image)).isEqualTo(8192);
  }

  private static long minorOf(VbmetaBuilder builder) {
    return VbmetaImage.parse(builder.build()).header().requiredMinor();
  }

  private Path write(String name, byte[] content) throws IOException {
    return Files.write(directory.resolve(name), content);
  }
}
