package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The options that avbtool has, on files. */
class AvbCommandsTest extends CommandTest {
  private static final String SIGNED = " --algorithm SHA256_RSA4096 --key @testkey_rsa4096.pem";

  /** What avbtool's own tests expect for the image of {@link #counting} with this salt. */
  private static final String ROOT =
      "1 vroot none ro 1,0 2056 verity 1 PARTUUID=$(ANDROID_SYSTEM_PARTUUID)"
          + " PARTUUID=$(ANDROID_SYSTEM_PARTUUID) 4096 4096 257 257 sha1"
          + " e811611467dcd6e8dc4324e45f706c2bdd51db67 d00df00d ";

  private static final String WITH_PARITY =
      "use_fec_from_device PARTUUID=$(ANDROID_SYSTEM_PARTUUID) fec_roots 2 fec_blocks 261"
          + " fec_start 261";

  private Path counting(String name) throws Exception {
    byte[] bytes = new byte[1052672];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) i;
    }
    return Files.write(folder.resolve(name), bytes);
  }

  private void helper(String name, String script) throws Exception {
    Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void addsTheCommandLinesOfARootFileSystem() throws Exception {
    counting("root.img");
    succeed(
        "avb add_hashtree_footer --image %root.img --salt d00df00d --partition_name rootfs"
            + " --setup_as_rootfs_from_kernel --partition_size 0x180000");
    succeed("avb info %root.img");
    assertThat(out.toString())
        .contains(
            "Kernel Cmdline:        'dm=\""
                + ROOT
                + "10 $(ANDROID_VERITY_MODE) ignore_zero_blocks "
                + WITH_PARITY
                + "\" root=/dev/dm-0'",
            "Kernel Cmdline:        'root=PARTUUID=$(ANDROID_SYSTEM_PARTUUID)'");
    succeed("avb verify %root.img");
  }

  @Test
  void addsTheCommandLinesForAnotherImage() throws Exception {
    counting("root.img");
    succeed(
        "avb add_hashtree_footer --image %root.img --salt d00df00d --partition_name rootfs"
            + " --do_not_generate_fec --check_at_most_once --block_size 0x1000");
    succeed(
        "avb make_vbmeta_image --output %vbmeta --setup_rootfs_from_kernel %root.img"
            + " --kernel_cmdline both=1 --flags 0x1");
    succeed("avb info_image --image %vbmeta --output %text");
    assertThat(out.toString()).isEmpty();
    assertThat(Files.readString(folder.resolve("text")))
        .contains(
            "Flags:                    1\n",
            "Kernel Cmdline:        'dm=\""
                + ROOT
                + "3 check_at_most_once $(ANDROID_VERITY_MODE) ignore_zero_blocks\""
                + " root=/dev/dm-0'")
        .containsSubsequence("Flags:                 1", "Flags:                 2", "'both=1'");
    assertThat(run("avb make-vbmeta --output %x --setup_rootfs_from_kernel %vbmeta"))
        .isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("no hashtree descriptor");
  }

  @Test
  void signsByAHelperWhatItSignsItself() throws Exception {
    String make = "avb make-vbmeta --prop a:b" + SIGNED + " --output ";
    succeed(make + "%expected");
    Path signature = folder.resolve("signature");
    byte[] image = Files.readAllBytes(folder.resolve("expected"));
    Files.write(signature, Arrays.copyOfRange(image, 256 + 32, 256 + 32 + 512));
    helper(
        "pipes",
        "[ $# = 2 ] && [ \"$1\" = SHA256_RSA4096 ] && [ \"$(wc -c)\" -eq 512 ] && cat "
            + signature);
    succeed(make + "%piped --signing_helper %pipes");
    assertThat(folder.resolve("piped")).hasBinaryContent(image);
    helper(
        "files", "[ $# = 3 ] && [ \"$(wc -c <\"$3\")\" -eq 512 ] && cat " + signature + " >\"$3\"");
    succeed(make + "%filed --signing_helper_with_files %files");
    assertThat(folder.resolve("filed")).hasBinaryContent(image);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "exit 3|ended with exit code 3",
        "echo short|wrote 6 bytes but a signature has 512",
        "while echo endless; do :; done|wrote more than the 512 bytes",
        "head -c 512 /dev/zero|does not verify"
      })
  void refusesWhatAHelperDoesWrong(String script, String reason) throws Exception {
    helper("helper", script);
    assertThat(run("avb make-vbmeta --output %x --signing_helper %helper" + SIGNED))
        .isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains(reason);
    assertThat(folder.resolve("x")).doesNotExist();
  }

  @Test
  void saysThatAHelperIsMissing() throws Exception {
    assertThat(run("avb make-vbmeta --output %x --signing_helper %none" + SIGNED))
        .isEqualTo(ExitCode.UNUSABLE);
    assertThat(run("avb make-vbmeta --output %x --signing_helper a --signing_helper_with_files b"))
        .isEqualTo(ExitCode.UNUSABLE);
  }

  @Test
  void asksForNothingThatANumberDoesNotNeed() throws Exception {
    succeed("avb add_hashtree_footer --print_required_libavb_version --rollback_index_location 1");
    assertThat(out.toString()).isEqualToIgnoringNewLines("1.2");
    succeed("avb add_hash_footer --print_required_libavb_version --do_not_use_ab --key nowhere");
    assertThat(out.toString()).isEqualToIgnoringNewLines("1.1");
    succeed("avb add_hash_footer --calc_max_image_size --partition_size 0x200000");
    assertThat(out.toString()).isEqualToIgnoringNewLines("2027520");
    succeed("avb add_hashtree_footer --calc_max_image_size --partition_size 2097152");
    assertThat(Integer.parseInt(out.toString().trim())).isLessThan(2027520);
  }

  @Test
  void leavesTheFooterOutIfToldSo() throws Exception {
    counting("data");
    succeed(
        "avb add_hashtree_footer --image %data --partition_name p --do_not_append_vbmeta_image"
            + " --do_not_generate_fec --salt 00 --output_vbmeta_image %vbmeta"
            + SIGNED);
    assertThat(Files.size(folder.resolve("data"))).isEqualTo(1052672 + 16384);
    succeed("avb info %vbmeta");
    Files.move(folder.resolve("data"), folder.resolve("p"));
    succeed("avb verify %vbmeta --key @testkey_rsa4096_pub.bin");
    assertThat(run("avb verify %p")).isEqualTo(ExitCode.REFUSED);
  }

  @Test
  void takesPropertiesFromFiles() throws Exception {
    Files.writeString(folder.resolve("value"), "from a file");
    succeed(
        "avb make-vbmeta --output %vbmeta --prop k:v:w --prop_from_file key:"
            + folder.resolve("value")
            + " --rollback_index 0xffffffffffffffff --padding_size 0x1000");
    assertThat(Files.size(folder.resolve("vbmeta"))).isEqualTo(4096);
    succeed("avb info %vbmeta");
    assertThat(out.toString())
        .contains("Prop: k -> 'v:w'", "Prop: key -> 'from a file'", "18446744073709551615");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 63, 64, 255, 256, 8291, 8292, 12288, 14912, 81856, 81919})
  void neverFailsOtherwiseForTruncatedImages(int length) throws Exception {
    byte[] image = Files.readAllBytes(vector("kernel_microdroid_style.img"));
    Files.write(folder.resolve("cut.img"), Arrays.copyOf(image, length));
    int expected = length == 0 ? ExitCode.UNUSABLE : ExitCode.REFUSED;
    assertThat(run("avb info %cut.img")).isEqualTo(expected);
    assertThat(run("avb verify --image %cut.img")).isEqualTo(expected);
    assertThat(err.toString()).startsWith("avf: ");
    assertThat(run("avb make-vbmeta --output %x --include_descriptors_from_image %cut.img"))
        .isEqualTo(expected);
  }

  @Test
  void refusesGarbageWhereverAFileIsNamed() throws Exception {
    byte[] garbage = new byte[5000];
    new Random(1).nextBytes(garbage);
    Files.write(folder.resolve("garbage"), garbage);
    Files.write(folder.resolve("image"), new byte[8192]);
    for (String line :
        new String[] {
          "avb info %garbage",
          "avb verify %garbage",
          "avb verify @kernel_microdroid_style.img --key %garbage",
          "avb make-vbmeta --output %x --algorithm SHA256_RSA4096 --key %garbage",
          "avb make-vbmeta --output %x --include_descriptors_from_image %garbage",
          "avb make-vbmeta --output %x --setup_rootfs_from_kernel %garbage",
          "avb make-vbmeta --output %x --chain_partition p:1:" + folder.resolve("garbage"),
          "avb add-hash-footer %image --partition_name p --dynamic_partition_size"
              + " --algorithm SHA256_RSA4096 --key %garbage",
          "avb add-hashtree-footer %garbage --partition_name p"
        }) {
      assertThat(run(line)).as(line).isEqualTo(ExitCode.REFUSED);
      assertThat(err.toString()).startsWith("avf: refused: ");
    }
    assertThat(folder.resolve("image")).hasSize(8192);
    assertThat(folder.resolve("garbage")).hasBinaryContent(garbage);
  }
}
