package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbDescriptor;
import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.avb.HashFooter;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import io.github.avf4j.attestation.avb.TestKeys;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PayloadVerifierTest {
  private static final byte[] KERNEL = Vectors.bytes("avb/images/kernel_microdroid_style.img");
  private static final byte[] NORMAL = Vectors.bytes("avb/images/initrd_normal");
  private static final byte[] DEBUG = Vectors.bytes("avb/images/initrd_debug");
  private static final PvmfwRevision M = PvmfwRevision.MARCH_2025;
  private static final PvmfwRevision J = PvmfwRevision.JANUARY_2025;

  @Test
  void tellsDebuggabilityFromTheRamdisk() {
    VerifiedPayload normal = verify(KERNEL, NORMAL, M);
    assertThat(normal.debuggable()).isFalse();
    assertThat(normal.rollbackIndex()).isEqualTo(1);
    assertThat(normal.capabilities()).containsExactly(Capability.SECRETKEEPER_PROTECTION);
    assertThat(verify(KERNEL, DEBUG, J).debuggable()).isTrue();
    byte[] rialto = Vectors.bytes("avb/images/kernel_rialto_style.img");
    assertThat(verify(rialto, null, M).has(Capability.REMOTE_ATTEST)).isTrue();
  }

  @Test
  void refusesARamdiskThatIsNotDescribed() {
    assertRefused(KERNEL, Arrays.copyOf(NORMAL, NORMAL.length + 1), PvmfwError.AVB_VERIFICATION);
    assertRefused(KERNEL, Arrays.copyOf(NORMAL, NORMAL.length - 1), PvmfwError.AVB_VERIFICATION);
    assertRefused(KERNEL, flipped(NORMAL, 9), PvmfwError.AVB_VERIFICATION);
    assertRefused(KERNEL, null, PvmfwError.AVB_INVALID_METADATA);
    byte[] rialto = Vectors.bytes("avb/images/kernel_rialto_style.img");
    assertRefused(rialto, NORMAL, PvmfwError.AVB_VERIFICATION);
  }

  @Test
  void refusesAKernelWithoutFooter() {
    byte[] shortOne = Arrays.copyOf(KERNEL, 8292);
    assertRefused(shortOne, NORMAL, PvmfwError.AVB_IO);
    byte[] longOne = Arrays.copyOf(KERNEL, KERNEL.length - 64);
    assertRefused(longOne, NORMAL, PvmfwError.AVB_INVALID_METADATA);
    assertRefused(new byte[0], NORMAL, PvmfwError.AVB_IO);
  }

  @ParameterizedTest
  @CsvSource({
    "100, AVB_VERIFICATION",
    "8291, AVB_VERIFICATION",
    "12288, AVB_INVALID_METADATA",
    "12999, AVB_VERIFICATION",
    "13500, AVB_VERIFICATION",
    "81856, AVB_INVALID_METADATA",
    "81879, AVB_IO",
    "81884, AVB_INVALID_METADATA",
    "81875, AVB_INVALID_METADATA",
  })
  void namesTheErrorOfADamagedByte(int at, PvmfwError error) {
    assertRefused(flipped(KERNEL, at), NORMAL, error);
  }

  @Test
  void refusesOtherKeys() {
    PvmFirmwareTest.assertError(
        () ->
            new PayloadVerifier(List.of(TestKeys.rsa2048().publicKey()), M)
                .verify(ImageSource.of(KERNEL), ImageSource.of(NORMAL)),
        PvmfwError.AVB_PUBLIC_KEY_REJECTED);
    PvmFirmwareTest.assertError(
        () ->
            new PayloadVerifier(List.of(), M)
                .verify(ImageSource.of(KERNEL), ImageSource.of(NORMAL)),
        PvmfwError.AVB_PUBLIC_KEY_REJECTED);
  }

  @ParameterizedTest
  @CsvSource({
    "com.android.virt.cap, bogus, UNKNOWN_VBMETA_PROPERTY, UNKNOWN_VBMETA_PROPERTY",
    "com.android.virt.cap, '', UNKNOWN_VBMETA_PROPERTY, UNKNOWN_VBMETA_PROPERTY",
    "com.android.virt.cap, remote_attest|remote_attest, AVB_INVALID_METADATA, AVB_INVALID_METADATA",
    "com.android.virt.cap, trusty_security_vm, UNKNOWN_VBMETA_PROPERTY, ",
    "com.android.virt.cap, remote_attest|secretkeeper_protection, , ",
    "something, else, UNKNOWN_VBMETA_PROPERTY, ",
    "com.android.virt.page_size, 16, UNKNOWN_VBMETA_PROPERTY, ",
    "com.android.virt.page_size, 0, UNKNOWN_VBMETA_PROPERTY, INVALID_PAGE_SIZE",
    "com.android.virt.page_size, 5, UNKNOWN_VBMETA_PROPERTY, INVALID_PAGE_SIZE",
    "com.android.virt.page_size, 4k, UNKNOWN_VBMETA_PROPERTY, INVALID_PAGE_SIZE",
    "com.android.virt.name, '', UNKNOWN_VBMETA_PROPERTY, INVALID_VM_NAME",
    "com.android.virt.name, my_vm, UNKNOWN_VBMETA_PROPERTY, ",
  })
  void appliesTheRulesOfPropertiesByRevision(
      String key, String value, PvmfwError inJanuary, PvmfwError inMarch) throws IOException {
    byte[] kernel = signed(new byte[5000], 0, PropertyDescriptor.of(key, value));
    assertOutcome(kernel, J, inJanuary);
    assertOutcome(kernel, M, inMarch);
  }

  @Test
  void refusesDescriptorsThatMakeNoSense() throws IOException {
    PropertyDescriptor one = PropertyDescriptor.of("a", "b");
    PropertyDescriptor two = PropertyDescriptor.of("c", "d");
    assertOutcome(signed(new byte[5000], 0, one, two), J, PvmfwError.DESCRIPTORS_INVALID_CONTENTS);
    assertOutcome(signed(new byte[5000], 0, one, two), M, null);
    assertOutcome(signed(new byte[5000], 0, one, one), M, PvmfwError.DESCRIPTORS_INVALID_CONTENTS);
    AvbDescriptor vendor = HashFooter.forPartition("vendor").describe(ImageSource.of(new byte[3]));
    assertOutcome(signed(new byte[5000], 0, vendor), M, PvmfwError.DESCRIPTORS_INVALID_CONTENTS);
    AvbDescriptor boot = HashFooter.forPartition("boot").describe(ImageSource.of(new byte[5000]));
    assertOutcome(signed(new byte[5000], 0, boot), M, PvmfwError.DESCRIPTORS_INVALID_CONTENTS);
    assertOutcome(signed(new byte[5000], 2), M, PvmfwError.AVB_INVALID_METADATA);
    assertOutcome(signed(new byte[5000], 1), M, PvmfwError.AVB_INVALID_METADATA);
    AvbDescriptor wide =
        HashFooter.forPartition("initrd_normal")
            .hash(VerityHash.SHA512)
            .describe(ImageSource.of(NORMAL));
    assertRefused(signed(new byte[5000], 0, wide), NORMAL, PvmfwError.AVB_INVALID_METADATA);
  }

  @Test
  void refusesAnUnsignedKernel() throws IOException {
    byte[] content = new byte[5000];
    AvbDescriptor boot = HashFooter.forPartition("boot").describe(ImageSource.of(content));
    byte[] vbmeta = new VbmetaBuilder().add(boot).build().toByteArray();
    assertOutcome(assembled(content, vbmeta), M, PvmfwError.AVB_VERIFICATION);
  }

  private static byte[] signed(byte[] content, int flags, AvbDescriptor... more)
      throws IOException {
    VbmetaBuilder builder =
        new VbmetaBuilder()
            .signedBy(TestKeys.rsa4096(), AvbAlgorithm.SHA256_RSA4096)
            .flags(flags)
            .add(HashFooter.forPartition("boot").describe(ImageSource.of(content)));
    for (AvbDescriptor descriptor : more) {
      builder.add(descriptor);
    }
    return assembled(content, builder.build().toByteArray());
  }

  private static byte[] assembled(byte[] content, byte[] vbmeta) {
    byte[] file = Arrays.copyOf(content, 81920);
    System.arraycopy(vbmeta, 0, file, 8192, vbmeta.length);
    byte[] footer = new AvbFooter(content.length, 8192, vbmeta.length).encode();
    System.arraycopy(footer, 0, file, file.length - 64, 64);
    return file;
  }

  private static void assertOutcome(byte[] kernel, PvmfwRevision revision, PvmfwError error) {
    if (error == null) {
      assertThat(verify(kernel, null, revision).debuggable()).isFalse();
    } else {
      PvmFirmwareTest.assertError(() -> verify(kernel, null, revision), error);
    }
  }

  private static void assertRefused(byte[] kernel, byte[] initrd, PvmfwError error) {
    PvmFirmwareTest.assertError(() -> verify(kernel, initrd, M), error);
  }

  private static VerifiedPayload verify(byte[] kernel, byte[] initrd, PvmfwRevision revision) {
    return new PayloadVerifier(List.of(TestKeys.rsa4096().publicKey()), revision)
        .verify(ImageSource.of(kernel), initrd == null ? null : ImageSource.of(initrd));
  }

  private static byte[] flipped(byte[] bytes, int at) {
    byte[] changed = bytes.clone();
    changed[at] ^= 0x40;
    return changed;
  }
}
