package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AttestationCommandsTest extends CommandTest {
  private static final String SIGNER =
      "3b621cdf1dd0d439f8393255bfe910599f1370134e7e4909b75c5cef129ac372"
          + "b4c744ac5c9648d51c3e100fe68efd880b53ff3ac0a398ad6e80c431db9d261e";
  private static final String CHALLENGE = "000102030405060708090a0b0c0d0e0f";

  // The attestations were made with the library itself: no foreign tool makes them.

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dice show @valid_p256.chain",
        "dice show @bad_final_signature.chain",
        "dice verify @valid_p256.chain",
        "dice verify @valid_p256.chain --json --instance default --allow-any-mode",
        "csr verify @v3_csr.base64",
        "csr verify @v2_csr.base64",
        "csr verify --factory @v3_p256_valid.json",
        "csr verify --client-vm @client_vm_csr_computed.cbor",
        "csr verify --client-vm @guest_csr.cbor --challenge c0ffee --allow-any-mode",
        "avb info @kernel_microdroid_style.img",
        "avb info --image @kernel_microdroid_style.img",
        "pvmfw verify --kernel @kernel_microdroid_style.img --initrd @initrd_normal"
            + " --key @testkey_rsa4096_pub.bin --rollback-index 1",
        "instance dump @instance.img"
      })
  void takesWhatIsValid(String line) throws Exception {
    assertThat(run(line)).as(err.toString()).isZero();
    assertThat(out.toString()).isNotEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dice verify @bad_p256.chain|certificate",
        "dice verify @bad_final_signature.chain|the signature does not verify (at byte",
        "dice show @initrd_normal|DICE chain",
        "dice verify --instance avf @valid_p256.chain|RKP",
        "csr verify @bad_csr.cbor|decrypt",
        "csr verify @v3_csr.base64 --challenge 00|challenge",
        "csr verify --factory @v3_p256_with_corrupted_payload.json|line 1",
        "csr verify --client-vm @client_vm_csr_computed.cbor --challenge 00|challenge",
        "csr verify --client-vm @guest_csr.cbor --challenge c0ffee|mode",
        "avb info @initrd_normal|magic",
        "avb verify @initrd_normal|magic",
        "pvmfw verify --kernel @kernel_microdroid_style.img --key @testkey_rsa4096_pub.bin"
            + "|AVB_INVALID_METADATA",
        "pvmfw-config dump @initrd_normal|CONFIG_INVALID_MAGIC",
        "instance dump @initrd_normal|INSTANCE_INVALID_HEADER"
      })
  void refusesWithTheReason(String line, String reason) throws Exception {
    assertThat(run(line)).as(out.toString()).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).startsWith("avf: refused: ").contains(reason);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dice show",
        "dice verify",
        "csr verify",
        "csr verify --factory",
        "csr verify --client-vm",
        "avb info",
        "avb verify --image",
        "pvmfw-config dump",
        "instance dump",
        "attest verify --root @attestation_root.der --challenge 00",
        "attest verify --challenge 00 @attestation_normal.der --root",
        "avb add-hash-footer --partition_name boot --dynamic_partition_size --image",
        "avb add-hashtree-footer --partition_name boot --image",
        "pvmfw verify --key @testkey_rsa4096_pub.bin --kernel",
        "pvmfw verify --kernel @kernel_microdroid_style.img --key"
      })
  void endsWithTwoForMissingAndEmptyFiles(String line) throws Exception {
    assertThat(run(line + " %missing")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).contains("does not exist");
    Files.write(folder.resolve("empty"), new byte[0]);
    assertThat(run(line + " %empty")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).contains("is empty");
    assertThat(run(line + " " + folder)).isEqualTo(ExitCode.UNUSABLE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dice",
        "dice show",
        "dice verify x --instance nobody",
        "dice verify x --bogus",
        "csr verify",
        "csr verify a --factory b",
        "csr verify a --challenge 0",
        "avb info",
        "avb make-vbmeta",
        "avb make-vbmeta --output %x --algorithm SHA256_RSA4096",
        "avb make-vbmeta --output %x --prop nothing",
        "avb add-hash-footer --image x --partition_name boot",
        "attest verify x --root y",
        "attest verify x --root y --challenge 00 --require-component nothing",
        "attest verify x --root y --challenge 00 --at yesterday",
        "pvmfw verify --kernel x",
        "instance dump @instance.img --cdi-seal 00"
      })
  void endsWithTwoForWrongUsage(String line) throws Exception {
    assertThat(run(line)).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).startsWith("avf: ");
  }

  @Test
  void saysInJsonWhyAChainIsRefused() throws Exception {
    assertThat(run("dice verify --json @bad_final_signature.chain")).isEqualTo(ExitCode.REFUSED);
    var node = new ObjectMapper().readTree(out.toString());
    assertThat(node.required("valid").booleanValue()).isFalse();
    assertThat(node.required("rule").textValue()).isEqualTo("SIGNATURE");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "dice verify --json @initrd_normal|valid",
        "csr verify --json @initrd_normal|valid",
        "csr verify --json --factory @initrd_normal|valid",
        "csr verify --json --client-vm @initrd_normal|valid",
        "attest verify --json @initrd_normal --root @attestation_root.der --challenge 00|valid",
        "attest verify --json @attestation_normal.der --root @initrd_normal --challenge 00|valid",
        "attest verify --json @attestation_normal.der --root @attestation_root.der --challenge 00"
            + "|accepted"
      })
  void givesOneObjectInJsonForWhateverItRefuses(String line, String field) throws Exception {
    assertThat(run(line)).as(err.toString()).isEqualTo(ExitCode.REFUSED);
    ObjectMapper json = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    assertThat(json.readTree(out.toString()).required(field).booleanValue()).isFalse();
    assertThat(err.toString()).startsWith("avf: refused: ");
  }

  @Test
  void printsTheHostsRootWhichIsTheSameEachTime() throws Exception {
    assertThat(run("attest root --root-file %root")).as(err.toString()).isZero();
    String pem = out.toString();
    assertThat(pem).contains("not of Google", "-----BEGIN CERTIFICATE-----");
    assertThat(run("attest root --root-file %root --out %root.pem")).as(err.toString()).isZero();
    assertThat(Files.readString(folder.resolve("root.pem"))).isEqualTo(pem);
    assertThat(run("attest verify --root %root.pem --challenge 00 @attestation_normal.der"))
        .isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("trusted-root");
  }

  @Test
  void refusesARootThatIsDamaged() throws Exception {
    Files.writeString(folder.resolve("root"), "no root");
    Files.setPosixFilePermissions(
        folder.resolve("root"), PosixFilePermissions.fromString("rw-------"));
    assertThat(run("attest root --root-file %root")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("attestation root", "is damaged");
  }

  @Test
  void saysOfARequestThatItsChainIsDegenerate() throws Exception {
    assertThat(run("csr verify @v2_csr.base64")).isZero();
    assertThat(out.toString()).contains("warning: certificate 0", "degenerate");
  }

  @Test
  void verifiesTheImagesThatItMakes() throws Exception {
    Files.write(folder.resolve("kernel.img"), new byte[9000]);
    String signed = " --algorithm SHA256_RSA4096 --key @testkey_rsa4096.pem";
    assertThat(
            run(
                "avb add-hash-footer --image %kernel.img --partition_name kernel"
                    + " --partition_size 131072 --salt 00 --rollback_index 3"
                    + signed))
        .as(err.toString())
        .isZero();
    Files.write(folder.resolve("system.img"), new byte[8192]);
    assertThat(run("avb add-hashtree-footer %system.img --partition_name system" + signed))
        .as(err.toString())
        .isZero();
    assertThat(run("avb info %system.img")).isZero();
    assertThat(out.toString()).contains("sha1").containsPattern("FEC num roots: +2");
    assertThat(
            run(
                "avb make-vbmeta --output %vbmeta.img --padding_size 4096"
                    + " --include_descriptors_from_image %kernel.img"
                    + " --chain_partition system:1:@none --prop a:b"
                        .replace("@none", vector("testkey_rsa4096_pub.bin").toString())
                    + signed))
        .as(err.toString())
        .isZero();
    assertThat(Files.size(folder.resolve("vbmeta.img")) % 4096).isZero();
    String verify = "avb verify --key @testkey_rsa4096_pub.bin --image ";
    assertThat(run(verify + "%kernel.img")).as(err.toString()).isZero();
    assertThat(run(verify + "%vbmeta.img --follow-chain")).as(err.toString()).isZero();
    byte[] bytes = Files.readAllBytes(folder.resolve("kernel.img"));
    bytes[17] ^= 1;
    Files.write(folder.resolve("kernel.img"), bytes);
    assertThat(run(verify + "%vbmeta.img --follow-chain")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("hash of kernel");
  }

  @Test
  void makesConfigurationDataThatItReads() throws Exception {
    assertThat(run("pvmfw-config make --dice-handover @pvmfw_test_handover.cbor --output %config"))
        .as(err.toString())
        .isZero();
    assertThat(run("pvmfw-config dump %config")).as(err.toString()).isZero();
    assertThat(out.toString()).contains("version: 1.0", "Protected VM firmware");
  }

  private int attest(String certificates, String... more) throws Exception {
    return run(
        "attest verify @"
            + certificates
            + " --root @attestation_root.der --challenge "
            + CHALLENGE
            + " --at 2026-11-22T10:00:00Z "
            + String.join(" ", more));
  }

  /** The machine of this attestation runs an APK and an APEX. */
  @Test
  void acceptsAndNamesComponentsThatNobodyRequired() throws Exception {
    String verify =
        "attest verify @attestation_two_components.der --root @attestation_two_components_root.der"
            + " --at 2026-11-22T10:00:00Z --challenge "
            + CHALLENGE;
    String apk =
        " --require-component apk:com.example.vm="
            + "d213cf6e3fa3501685089736a9b6c61135921b2fb39d5862abdba69ec1d7f9a7"
            + "38e8ecf418dd6576cd2149f126e8ab4b12ce865350b9aa12ec1c104a5c2cb8d3:7";
    assertThat(run(verify + apk)).as(err.toString()).isZero();
    assertThat(out.toString())
        .containsPattern("pass +unlisted-components .*apex:com.android.virt\\n");
    assertThat(run(verify + apk + " --refuse-unlisted-components")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("unlisted-components", "apex:com.android.virt");
    assertThat(run(verify)).as(err.toString()).isZero();
  }

  @Test
  void decidesAboutAttestations() throws Exception {
    String apk = "--require-component apk:com.example.vault=" + SIGNER;
    assertThat(attest("attestation_normal.der")).as(err.toString()).isZero();
    assertThat(attest("attestation_normal.pem", apk + ":7")).as(err.toString()).isZero();
    assertThat(out.toString()).contains("accepted");
    assertThat(attest("attestation_normal.pem", apk + ":8")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("component-version");
    assertThat(attest("attestation_debug.der")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("secure-mode");
    assertThat(attest("attestation_debug.der", "--allow-debug")).as(err.toString()).isZero();
    assertThat(attest("attestation_normal.der", "--require-component apk:other=00"))
        .isEqualTo(ExitCode.REFUSED);
    assertThat(
            run(
                "attest verify @attestation_normal.der --root @attestation_root.der"
                    + " --challenge 00 --at 2026-11-22T10:00:00Z"))
        .isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("challenge");
  }
}
