package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.pvmfw.InstanceCipher;
import io.github.avf4j.attestation.pvmfw.InstanceImage;
import io.github.avf4j.attestation.pvmfw.InstanceStorage;
import io.github.avf4j.attestation.pvmfw.MicrodroidRecord;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands of the firmware, with every entry and every kind of wrong input. */
class PvmfwCommandsTest extends CommandTest {
  private static final String MAKE_ALL =
      "pvmfw-config make --output %config --dice-handover @pvmfw_test_handover.cbor"
          + " --debug-policy @debug_policy.dtb --vm-dtbo @vm_dtbo.dtb"
          + " --vm-reference-dt @vm_reference_dt.dtb --reserved-memory %reserved";
  private static final String VERIFY =
      "pvmfw verify --kernel @kernel_microdroid_style.img --key @testkey_rsa4096_pub.bin";

  /** An entry as a boot loader lays it out: contents first, texts behind. */
  private void writeReservedMemory() throws Exception {
    ByteBuffer entry = ByteBuffer.allocate(4 + 20 + 4 + 3 + 4).order(ByteOrder.LITTLE_ENDIAN);
    entry.putInt(1).putInt(4).putInt(0).putInt(4).putInt(7).putInt(1);
    entry.put(new byte[] {0x5e, (byte) 0xed, 0x5e, (byte) 0xed});
    write("reserved", entry.put("vm\0a,b\0".getBytes(StandardCharsets.US_ASCII)).array());
  }

  @Test
  void makesAndShowsEveryEntry() throws Exception {
    writeReservedMemory();
    assertThat(run(MAKE_ALL)).as(err.toString()).isZero();
    assertThat(Files.getPosixFilePermissions(folder.resolve("config")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(run("pvmfw-config dump %config")).as(err.toString()).isZero();
    assertThat(out.toString())
        .contains(
            "version: 1.3",
            "Protected VM firmware",
            "log true, ramdump false, adb true",
            "vm_dtbo: ",
            "a device tree of 2 nodes",
            "vm, a,b: 4 bytes, not mapped")
        .doesNotContainIgnoringCase("5eed5eed");
    assertThat(run("pvmfw-config dump --revision 2026 %config")).isZero();
    assertThat(run("pvmfw-config dump --revision 2025-01 %config")).isZero();
    assertThat(out.toString()).contains("read like 1.2", "reserved_memory: none");
  }

  @Test
  void makesTheLeastVersionOrTheOneThatIsAskedFor() throws Exception {
    String make = "pvmfw-config make --output %config --dice-handover @pvmfw_test_handover.cbor";
    assertThat(run(make + " --vm-dtbo @vm_dtbo.dtb")).isZero();
    assertThat(run("pvmfw-config dump %config")).isZero();
    assertThat(out.toString()).contains("version: 1.1");
    assertThat(run(make + " --vm-dtbo @vm_dtbo.dtb --minor 2")).isZero();
    assertThat(run("pvmfw-config dump %config")).isZero();
    assertThat(out.toString()).contains("version: 1.2", "vm_reference_dt: none");
    assertThat(run(make + " --vm-dtbo @vm_dtbo.dtb --minor 0")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(run(make + " --minor 4")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(run(make + " --minor x")).isEqualTo(ExitCode.UNUSABLE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--dice-handover",
        "--debug-policy",
        "--vm-dtbo",
        "--vm-reference-dt",
        "--reserved-memory"
      })
  void refusesToMakeOfWhatTheFirmwareCouldNotRead(String option) throws Exception {
    writeReservedMemory();
    String make =
        option.equals("--dice-handover")
            ? "pvmfw-config make --output %config --dice-handover "
            : "pvmfw-config make --output %config --dice-handover @pvmfw_test_handover.cbor "
                + option
                + " ";
    byte[] garbage = new byte[300];
    new Random(7).nextBytes(garbage);
    write("garbage", garbage);
    assertThat(run(make + "%garbage")).isEqualTo(ExitCode.REFUSED);
    write("short", new byte[] {1});
    assertThat(run(make + "%short")).isEqualTo(ExitCode.REFUSED);
    write("empty", new byte[0]);
    assertThat(run(make + "%empty")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(run(make + "%missing")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(run(make + folder)).isEqualTo(ExitCode.UNUSABLE);
    assertThat(folder.resolve("config")).doesNotExist();
  }

  @Test
  void refusesConfigurationThatIsCutOffAnywhere() throws Exception {
    writeReservedMemory();
    assertThat(run(MAKE_ALL)).isZero();
    byte[] whole = Files.readAllBytes(folder.resolve("config"));
    for (int length = 1; length < whole.length; length += length < 64 ? 1 : 97) {
      write("cut", Arrays.copyOf(whole, length));
      assertThat(run("pvmfw-config dump %cut")).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).startsWith("avf: refused: CONFIG_");
    }
  }

  @Test
  void endsWithZeroOneOrTwoForAnyChangedByteOfTheConfiguration() throws Exception {
    writeReservedMemory();
    assertThat(run(MAKE_ALL)).isZero();
    byte[] whole = Files.readAllBytes(folder.resolve("config"));
    Random random = new Random(11);
    for (int i = 0; i < 300; i++) {
      byte[] changed = whole.clone();
      changed[i < 56 ? i : random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
      write("changed", changed);
      assertThat(run("pvmfw-config dump %changed")).isIn(ExitCode.OK, ExitCode.REFUSED);
    }
  }

  @Test
  void cannotWriteIntoADirectoryThatIsMissing() throws Exception {
    assertThat(
            run(
                "pvmfw-config make --output %no/config"
                    + " --dice-handover @pvmfw_test_handover.cbor"))
        .isEqualTo(ExitCode.UNUSABLE);
  }

  @Test
  void verifiesWithBothRamdisksAndBothFormsOfAKey() throws Exception {
    assertThat(run(VERIFY + " --initrd @initrd_normal")).as(err.toString()).isZero();
    assertThat(out.toString()).contains("debuggable:     no", "valid");
    assertThat(
            run(
                "pvmfw verify --kernel @kernel_microdroid_style.img --initrd @initrd_debug"
                    + " --key @testkey_rsa4096.pem"))
        .as(err.toString())
        .isZero();
    assertThat(out.toString()).contains("debuggable:     yes");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "|AVB_INVALID_METADATA",
        " --initrd @kernel_rialto_style.img|AVB_VERIFICATION",
        " --initrd @initrd_normal --rollback-index 1 --revision 2025-01|OK",
        " --initrd @initrd_normal --rollback-index 1 --revision 2026|OK"
      })
  void namesTheErrorOfARamdisk(String options, String outcome) throws Exception {
    int code = run(VERIFY + (options == null ? "" : " " + options));
    if (outcome.equals("OK")) {
      assertThat(code).as(err.toString()).isZero();
    } else {
      assertThat(code).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).startsWith("avf: refused: " + outcome + ": ");
      assertThat(err.toString()).contains("[PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED]");
    }
  }

  @Test
  void appliesTheRollbackRuleOfTheRevision() throws Exception {
    String service =
        "pvmfw verify --kernel @kernel_rialto_style.img --key @testkey_rsa4096_pub.bin";
    assertThat(run(service + " --rollback-index 1")).as(err.toString()).isZero();
    assertThat(out.toString()).contains("FIXED");
    assertThat(run(service + " --rollback-index 2")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString())
        .contains("ROLLBACK_INDEX_MISMATCH", "[PVM_FIRMWARE_INVALID_PAYLOAD]");
    assertThat(run(service + " --rollback-index 2 --revision 2026")).isZero();
    assertThat(out.toString()).as("fixed by name alone").contains("LEGACY");
    assertThat(run(service + " --rollback-index -1")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(run(service + " --revision 2027")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).contains("2025-01, 2025-03 or 2026");
  }

  @Test
  void refusesAnotherKeyAndChangedOrCutKernels() throws Exception {
    String initrd = " --initrd @initrd_normal --key @testkey_rsa4096_pub.bin";
    byte[] kernel = Files.readAllBytes(vector("kernel_microdroid_style.img"));
    byte[] changed = kernel.clone();
    changed[9] ^= 1;
    write("kernel", changed);
    assertThat(run("pvmfw verify --kernel %kernel" + initrd)).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("AVB_VERIFICATION: ");
    write("kernel", Arrays.copyOf(kernel, kernel.length - 1));
    assertThat(run("pvmfw verify --kernel %kernel" + initrd)).isEqualTo(ExitCode.REFUSED);
    write("kernel", new byte[100]);
    assertThat(run("pvmfw verify --kernel %kernel" + initrd)).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("AVB_IO: ");
    byte[] key = Files.readAllBytes(vector("testkey_rsa4096_pub.bin"));
    key[key.length / 4] ^= 1;
    write("key", key);
    assertThat(
            run(
                "pvmfw verify --kernel @kernel_microdroid_style.img --initrd @initrd_normal"
                    + " --key %key"))
        .isEqualTo(ExitCode.REFUSED);
    write("key", new byte[50]);
    assertThat(run(VERIFY.replace("@testkey_rsa4096_pub.bin", "%key"))).isEqualTo(ExitCode.REFUSED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--initrd", "--kernel", "--key"})
  void cannotVerifyWithFilesThatAreMissingOrEmpty(String option) throws Exception {
    write("empty", new byte[0]);
    for (String name : List.of("%empty", "%missing", folder.toString())) {
      String others =
          option.equals("--initrd")
              ? VERIFY
              : "pvmfw verify"
                  + (option.equals("--key") ? "" : " --key @testkey_rsa4096_pub.bin")
                  + (option.equals("--kernel") ? "" : " --kernel @kernel_microdroid_style.img");
      assertThat(run(others + " " + option + " " + name)).isEqualTo(ExitCode.UNUSABLE);
    }
  }

  private String incomingSeal() throws Exception {
    byte[] handover = Files.readAllBytes(vector("pvmfw_test_handover.cbor"));
    return HexFormat.of().formatHex(handover, 39, 71);
  }

  @Test
  void opensPvmfwsRecordWithTheRightSecretAlone() throws Exception {
    assertThat(run("instance dump @instance.img")).isZero();
    assertThat(out.toString()).contains("pvmfw at byte 512, 221 bytes").doesNotContain("code");
    assertThat(run("instance dump @instance.img --cdi-seal " + incomingSeal()))
        .as(err.toString())
        .isZero();
    assertThat(out.toString()).contains("code  ", "mode       normal").doesNotContain("bf209053b2");
    String wrong = "5a".repeat(32);
    assertThat(run("instance dump @instance.img --cdi-seal " + wrong)).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("INSTANCE_DECRYPTION_FAILED").doesNotContain(wrong);
    assertThat(out.toString()).contains("not sealed with this secret");
  }

  @Test
  void neverRepeatsASecretThatIsMistyped() throws Exception {
    String secret = "c0ffee".repeat(10) + "xy";
    assertThat(run("instance dump @instance.img --cdi-seal " + secret))
        .isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).doesNotContain("c0ffee");
    assertThat(run("instance dump @instance.img --cdi-seal c0ffee")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).contains("32 bytes but has 3").doesNotContain("c0ffee");
  }

  @Test
  void showsWhatMicrodroidRemembers() throws Exception {
    byte[] partition = new byte[4096];
    InstanceImage image = InstanceImage.format(InstanceStorage.of(partition));
    ByteSlice hash = ByteSlice.ofHex("ab12");
    try (SecretBytes cdi = SecretBytes.takeOver(new byte[32]);
        InstanceCipher cipher = InstanceCipher.ofMicrodroid(cdi)) {
      new MicrodroidRecord(
              Optional.empty(),
              new MicrodroidRecord.Apk(
                  hash, hash, "com.example\u001b[2J", 7, MicrodroidRecord.RollbackIndex.NONE, 0),
              List.of(),
              List.of(
                  new MicrodroidRecord.Apex(
                      "adbd", Optional.empty(), Optional.of(3L), hash, hash, 0, true)))
          .appendTo(image, cipher);
    }
    write("image", partition);
    assertThat(run("instance dump %image --cdi-seal " + "00".repeat(32)))
        .as(err.toString())
        .isZero();
    assertThat(out.toString())
        .contains("com.example\uFFFD[2J, version 7, root ab12, signer ab12", "adbd, version 3")
        .doesNotContain("\u001b");
  }

  @Test
  void refusesImagesThatAreCutOffOrGarbage() throws Exception {
    byte[] disk = Files.readAllBytes(vector("instance.img"));
    for (int length : new int[] {1, 511, 512, 1024, 1535, 1536, 40 * 512, 40 * 512 + 600}) {
      write("cut", Arrays.copyOf(disk, length));
      assertThat(run("instance dump %cut")).as(length + " bytes").isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).startsWith("avf: refused: INSTANCE_");
    }
    byte[] garbage = new byte[5000];
    new Random(3).nextBytes(garbage);
    write("garbage", garbage);
    assertThat(run("instance dump %garbage")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("INSTANCE_INVALID_HEADER");
    write("zeros", new byte[5000]);
    assertThat(run("instance dump %zeros")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("INSTANCE_MISSING_HEADER");
  }
}
