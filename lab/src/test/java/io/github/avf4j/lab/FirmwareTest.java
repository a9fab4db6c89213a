package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.Firmware;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.HashFooter;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the firmware inside a protected machine refuses, and what the user learns of it. */
@Tag("pkvm")
class FirmwareTest {
  private static final String PAYLOAD = "/io/github/avf4j/examples/protect/protected-payload.bin";
  private static final long FIXED_INDEX = 1;

  @TempDir Path folder;
  private Path payload;

  @BeforeEach
  void unpack() throws IOException {
    payload = folder.resolve("payload.img");
    try (InputStream in = FirmwareTest.class.getResourceAsStream(PAYLOAD)) {
      Files.copy(Objects.requireNonNull(in, PAYLOAD), payload);
    }
  }

  private static VbmetaBuilder vbmeta(long rollbackIndex) {
    return new VbmetaBuilder()
        .signedBy(DevelopmentKey.signer(), AvbAlgorithm.SHA256_RSA4096)
        .rollbackIndex(rollbackIndex);
  }

  private void sign(VbmetaBuilder vbmeta) throws IOException {
    HashFooter.forPartition("boot").addTo(payload, vbmeta);
  }

  /** Flips a bit of the byte at {@code offset}. */
  private void change(int offset) throws IOException {
    byte[] bytes = Files.readAllBytes(payload);
    bytes[offset] ^= 1;
    Files.write(payload, bytes);
  }

  private StopReason run(ProtectionLevel level) throws InterruptedException {
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder.resolve("store"))) {
      VirtualMachine vm =
          manager.create(
              "firmware",
              VirtualMachineConfig.builder()
                  .customImage(
                      CustomImageConfig.builder()
                          .kernel(payload)
                          .commandLine("")
                          .firmware(Firmware.pvmfw())
                          .build())
                  .memory(DataSize.ofMebibytes(32))
                  .protectionLevel(level)
                  .build());
      vm.run();
      assertThat(folder.resolve("store/vm/firmware/firmware.img"))
          .as("what holds secrets is gone once it was loaded")
          .doesNotExist();
      return vm.awaitStopped(TestMachines.LONG).orElseThrow();
    }
  }

  private static void assertRefused(StopReason reason, int avfCode, String rebootReason) {
    assertThat(reason)
        .isInstanceOfSatisfying(
            StopReason.FirmwareRefused.class,
            refused -> {
              assertThat(refused.rebootReason()).isEqualTo(rebootReason);
              assertThat(refused.avfCode()).isEqualTo(avfCode);
            });
  }

  @Test
  void refusesAChangedByteOfTheKernel() throws Exception {
    sign(vbmeta(1));
    change(100);
    assertRefused(run(ProtectionLevel.HARDWARE), 7, "PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED");
  }

  @Test
  void refusesAWrongSignature() throws Exception {
    int kernel = (int) Files.size(payload);
    sign(vbmeta(1));
    // The authentication block, behind the kernel's whole blocks and the header of the metadata,
    // begins with a digest of 32 bytes; then comes the signature.
    change((kernel + 4095) / 4096 * 4096 + 256 + 32 + 5);
    assertRefused(run(ProtectionLevel.SIMULATED), 7, "PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED");
  }

  @Test
  void refusesAKernelThatNobodySigned() throws Exception {
    assertRefused(run(ProtectionLevel.SIMULATED), 7, "PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED");
  }

  @Test
  void refusesAnIndexThatWasRolledBack() throws Exception {
    sign(
        vbmeta(FIXED_INDEX - 1)
            .add(PropertyDescriptor.of("com.android.virt.cap", "remote_attest")));
    assertRefused(run(ProtectionLevel.HARDWARE), 5, "PVM_FIRMWARE_INVALID_PAYLOAD");
  }
}
