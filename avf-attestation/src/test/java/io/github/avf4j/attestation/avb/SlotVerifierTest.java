package io.github.avf4j.attestation.avb;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.avb.SlotVerification.Status;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SlotVerifierTest {
  private final Map<String, byte[]> partitions = new HashMap<>();
  private final ByteSlice key = TestKeys.rsa4096().publicKey().blob();

  @BeforeEach
  void chainBootAndDescribeInitrd() throws IOException {
    byte[] initrd = KnownImages.counting(5000);
    partitions.put("boot_a", Vectors.bytes("avb/images/kernel_microdroid_style.img"));
    partitions.put("initrd", initrd);
    HashDescriptor described =
        HashFooter.forPartition("initrd").doNotUseAb().describe(ImageSource.of(initrd));
    partitions.put("vbmeta_a", top(described, 0, 1));
  }

  private byte[] top(AvbDescriptor described, int flags, int chainLocation) {
    return new VbmetaBuilder()
        .signedBy(TestKeys.rsa2048(), AvbAlgorithm.SHA512_RSA2048)
        .rollbackIndex(7)
        .flags(flags)
        .add(described)
        .add(new ChainPartitionDescriptor(chainLocation, "boot", key, 0))
        .build()
        .toByteArray();
  }

  @Test
  void followsTheChainAndChecksWhatIsAskedFor() {
    SlotVerification result = verify(verifier());
    assertThat(result.isOk()).as(result.reason()).isTrue();
    assertThat(result.images()).extracting("partitionName").containsExactly("vbmeta", "boot");
    assertThat(result.partitions()).extracting("name").contains("initrd", "boot");
    assertThat(result.rollbackIndexes()).startsWith(7, 1, 0);
    assertThat(result.vbmetaDigest().length()).isEqualTo(32);
  }

  @Test
  void fallsBackToTheFooterOfBoot() {
    partitions.remove("vbmeta_a");
    SlotVerification result =
        verify(SlotVerifier.of(this::open, (k, metadata) -> k.equals(key)).slotSuffix("_a"));
    assertThat(result.isOk()).as(result.reason()).isTrue();
    assertThat(result.images()).extracting("partitionName").containsExactly("boot");
  }

  @Test
  void refusesADamagedPartition() {
    partitions.get("initrd")[77] ^= 1;
    assertThat(verify(verifier()).status()).isEqualTo(Status.ERROR_VERIFICATION);
  }

  @Test
  void refusesAShortPartition() {
    partitions.put("initrd", Arrays.copyOf(partitions.get("initrd"), 4999));
    assertThat(verify(verifier()).status()).isEqualTo(Status.ERROR_IO);
  }

  @Test
  void refusesAnUntrustedKey() {
    SlotVerifier verifier = SlotVerifier.of(this::open, (k, metadata) -> false).slotSuffix("_a");
    assertThat(verify(verifier).status()).isEqualTo(Status.ERROR_PUBLIC_KEY_REJECTED);
  }

  @Test
  void refusesARollbackInTopAndChain() {
    assertThat(verify(verifier().storedRollbackIndexes(at -> at == 0 ? 8 : 0)).status())
        .isEqualTo(Status.ERROR_ROLLBACK_INDEX);
    assertThat(verify(verifier().storedRollbackIndexes(at -> at == 1 ? -1 : 0)).status())
        .isEqualTo(Status.ERROR_ROLLBACK_INDEX);
    assertThat(verify(verifier().storedRollbackIndexes(at -> at == 0 ? 7 : 1)).isOk()).isTrue();
  }

  @Test
  void refusesAChainOfAnotherKey() throws IOException {
    byte[] boot = KnownImages.counting(4096);
    partitions.put("boot_a", signedBoot(boot, TestKeys.rsa2048(), AvbAlgorithm.SHA256_RSA2048, 0));
    assertThat(verify(verifier()).status()).isEqualTo(Status.ERROR_PUBLIC_KEY_REJECTED);
  }

  @Test
  void refusesFlagsInAChainedImage() throws IOException {
    byte[] boot = KnownImages.counting(4096);
    partitions.put("boot_a", signedBoot(boot, TestKeys.rsa4096(), AvbAlgorithm.SHA256_RSA4096, 1));
    assertThat(verify(verifier()).status()).isEqualTo(Status.ERROR_INVALID_METADATA);
  }

  @Test
  void refusesALocationAbove31() throws IOException {
    HashDescriptor described = HashFooter.forPartition("x").describe(ImageSource.of(new byte[1]));
    partitions.put("vbmeta_a", top(described, 0, 32));
    assertThat(verify(verifier()).status()).isEqualTo(Status.ERROR_INVALID_METADATA);
  }

  @Test
  void loadsWithoutCheckWhereVerificationIsDisabled() throws IOException {
    HashDescriptor described = HashFooter.forPartition("x").describe(ImageSource.of(new byte[1]));
    partitions.put("vbmeta_a", top(described, VbmetaHeader.VERIFICATION_DISABLED, 1));
    SlotVerification result = verifier().verify(Set.of("boot"));
    assertThat(result.isOk()).isTrue();
    assertThat(result.partitions().get(0).verified()).isFalse();
  }

  @Test
  void mapsDamageOfTheTopImage() {
    byte[] good = partitions.get("vbmeta_a");
    assertTop(good, 0, Status.ERROR_INVALID_METADATA);
    assertTop(good, 11, Status.ERROR_UNSUPPORTED_VERSION);
    assertTop(good, 119, Status.ERROR_VERIFICATION);
    partitions.put("vbmeta_a", new VbmetaBuilder().build().toByteArray());
    assertThat(verify(verifier()).status()).isEqualTo(Status.ERROR_VERIFICATION);
  }

  private void assertTop(byte[] good, int at, Status expected) {
    byte[] bad = good.clone();
    bad[at] ^= 0x40;
    partitions.put("vbmeta_a", bad);
    assertThat(verify(verifier()).status()).isEqualTo(expected);
  }

  private static byte[] signedBoot(byte[] boot, AvbSigner signer, AvbAlgorithm algorithm, int flags)
      throws IOException {
    HashDescriptor described = HashFooter.forPartition("boot").describe(ImageSource.of(boot));
    byte[] vbmeta =
        new VbmetaBuilder()
            .signedBy(signer, algorithm)
            .flags(flags)
            .add(described)
            .build()
            .toByteArray();
    byte[] partition = Arrays.copyOf(boot, 16384);
    System.arraycopy(vbmeta, 0, partition, 4096, vbmeta.length);
    byte[] footer = new AvbFooter(boot.length, 4096, vbmeta.length).encode();
    System.arraycopy(footer, 0, partition, partition.length - 64, 64);
    return partition;
  }

  private SlotVerifier verifier() {
    ByteSlice trusted = TestKeys.rsa2048().publicKey().blob();
    return SlotVerifier.of(this::open, (k, metadata) -> k.equals(trusted)).slotSuffix("_a");
  }

  private SlotVerification verify(SlotVerifier verifier) {
    return verifier.verify(Set.of("boot", "initrd"));
  }

  private Optional<ImageSource> open(String name) {
    return Optional.ofNullable(partitions.get(name)).map(ImageSource::of);
  }
}
