package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.internal.Digests;
import io.github.avf4j.attestation.verity.ImageSource;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PvmFirmwareTest {
  private static final JsonNode VECTOR = Vectors.json("avf/pvmfw_derivation_computed.json");
  private static final AvbPublicKey KEY =
      AvbPublicKey.parse(Vectors.slice("avb/keys/testkey_rsa4096_pub.bin"));
  private static final ByteSlice INSTANCE_ID = Vectors.hex(VECTOR, "instance_id");

  static Stream<JsonNode> cases() {
    // A recorded salt next to an instance hash is what no revision here combines; see
    // GuestDiceInputTest for the inputs of that case.
    return StreamSupport.stream(VECTOR.required("cases").spliterator(), false)
        .filter(known -> !known.get("name").textValue().equals("instance_img_random_salt"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void derivesTheKnownHandover(JsonNode expected) {
    try (DiceHandover incoming = incoming();
        NextHandover next =
            PvmFirmware.boot(
                incoming,
                materialOf(expected),
                InstanceImage.format(InstanceStorage.of(new byte[4096])));
        SecretBytes encoded = next.handover().encode()) {
      assertThat(next.payload().kernelDigest()).isEqualTo(Vectors.hex(expected, "kernel_digest"));
      assertThat(next.payload().debuggable()).isEqualTo(expected.get("mode").intValue() == 2);
      assertThat(next.rollback().isDeferred())
          .isEqualTo(expected.get("deferred_rollback_protection").booleanValue());
      assertThat(HexFormat.of().formatHex(encoded.toByteArray()))
          .isEqualTo(expected.get("next_handover").textValue());
      assertThat(next.page().length()).isEqualTo(4096);
      assertThat(PvmFirmware.parseHandover(next.page().toByteArray()).chain()).isPresent();
    }
  }

  private static BootMaterial materialOf(JsonNode expected) {
    String name = expected.get("name").textValue();
    boolean rkp = name.equals("rkp_vm");
    String kernel = rkp ? "kernel_rialto_style.img" : "kernel_microdroid_style.img";
    BootMaterial material =
        BootMaterial.of(ImageSource.of(Vectors.bytes("avb/images/" + kernel)), KEY)
            .withInstanceId(INSTANCE_ID)
            .withDeferredRollbackProtection(name.startsWith("secretkeeper"))
            .withRevision(
                name.endsWith("android16") ? PvmfwRevision.MARCH_2025 : PvmfwRevision.JANUARY_2025);
    String initrd = name.endsWith("debug") ? "initrd_debug" : "initrd_normal";
    return rkp
        ? material
        : material.withInitrd(ImageSource.of(Vectors.bytes("avb/images/" + initrd)));
  }

  @Test
  void remembersTheGuestInTheInstanceImage() {
    byte[] disk = new byte[4096];
    InstanceImage image = InstanceImage.format(InstanceStorage.of(disk));
    BootMaterial material = legacy("initrd_normal");
    try (DiceHandover incoming = incoming();
        NextHandover first = PvmFirmware.boot(incoming, material, image);
        NextHandover second = PvmFirmware.boot(incoming, material, image)) {
      assertThat(first.isNewInstance()).isTrue();
      assertThat(second.isNewInstance()).isFalse();
      assertThat(second.handover().cdis().seal()).isEqualTo(first.handover().cdis().seal());
      assertError(
          () -> PvmFirmware.boot(incoming, legacy("initrd_debug"), image),
          PvmfwError.INSTANCE_RECORDED_CODE_HASH_MISMATCH);
    }
    try (DiceHandover other =
        incoming().next(GuestDiceInputTest.someInput(), GuestDiceInputTest.ISSUER)) {
      assertError(
          () -> PvmFirmware.boot(other, material, image), PvmfwError.INSTANCE_DECRYPTION_FAILED);
    }
  }

  @Test
  void usesARecordedRandomSaltWithoutInstanceId() {
    InstanceImage image = InstanceImage.format(InstanceStorage.of(new byte[4096]));
    BootMaterial material =
        BootMaterial.of(
                ImageSource.of(Vectors.bytes("avb/images/kernel_microdroid_style.img")), KEY)
            .withInitrd(ImageSource.of(Vectors.bytes("avb/images/initrd_normal")));
    try (DiceHandover incoming = incoming();
        NextHandover first = PvmFirmware.boot(incoming, material, image);
        NextHandover second = PvmFirmware.boot(incoming, material, image)) {
      assertThat(second.handover().cdis().seal()).isEqualTo(first.handover().cdis().seal());
      assertThat(first.rollback().salt().isAllZero()).isFalse();
      assertError(
          () ->
              PvmFirmware.boot(incoming, material.withRevision(PvmfwRevision.JANUARY_2025), image),
          PvmfwError.MISSING_INSTANCE_ID);
    }
  }

  @Test
  void needsAnInstanceImageInLegacyMode() {
    try (DiceHandover incoming = incoming()) {
      assertError(
          () -> PvmFirmware.boot(incoming, legacy("initrd_normal"), null),
          PvmfwError.INSTANCE_MISSING_IMAGE);
    }
  }

  @Test
  void hashesTheRecordedSaltSince2026() {
    InstanceImage image = InstanceImage.format(InstanceStorage.of(new byte[4096]));
    BootMaterial material = legacy("initrd_normal").withRevision(PvmfwRevision.HEAD_2026);
    try (DiceHandover incoming = incoming();
        NextHandover first = PvmFirmware.boot(incoming, material, image);
        NextHandover second = PvmFirmware.boot(incoming, material, image);
        InstanceCipher cipher = InstanceCipher.ofPvmfw(incoming.cdis().seal())) {
      InstanceImage.Record record = image.find(InstanceImage.PVMFW).orElseThrow();
      byte[] recorded = PvmfwRecord.read(image, record, cipher).salt().toByteArray();
      assertThat(first.rollback().salt())
          .isEqualTo(
              ByteSlice.takeOver(
                  Digests.sha512("RNG_BASED".getBytes(StandardCharsets.US_ASCII), recorded)));
      assertThat(first.isNewInstance()).isTrue();
      assertThat(second.isNewInstance()).isFalse();
      assertThat(second.handover().cdis().seal()).isEqualTo(first.handover().cdis().seal());
    }
  }

  @Test
  void makesANewInstanceAtEveryBootWithoutADiskSince2026() {
    BootMaterial material = legacy("initrd_normal").withRevision(PvmfwRevision.HEAD_2026);
    try (DiceHandover incoming = incoming();
        NextHandover first = PvmFirmware.boot(incoming, material, null);
        NextHandover second = PvmFirmware.boot(incoming, material, null)) {
      assertThat(first.isNewInstance()).isTrue();
      assertThat(second.isNewInstance()).isTrue();
      assertThat(second.handover().cdis().seal()).isNotEqualTo(first.handover().cdis().seal());
    }
  }

  @Test
  void needsAnInstanceIdWhereSecretsHangOnItAlone() {
    BootMaterial material =
        BootMaterial.of(ImageSource.of(Vectors.bytes("avb/images/kernel_rialto_style.img")), KEY);
    try (DiceHandover incoming = incoming()) {
      assertError(() -> PvmFirmware.boot(incoming, material, null), PvmfwError.MISSING_INSTANCE_ID);
    }
  }

  @Test
  void seesThatTheLoaderWasInDebugMode() {
    try (DiceHandover incoming = incoming()) {
      assertThat(PvmFirmware.isDebugChain(incoming)).isTrue();
    }
  }

  @Test
  void refusesAHandoverWithoutChain() {
    byte[] bytes = Vectors.bytes("avf/pvmfw_test_handover.cbor");
    byte[] withoutChain = java.util.Arrays.copyOf(bytes, 71);
    withoutChain[0] = (byte) 0xa2;
    assertError(() -> PvmFirmware.parseHandover(withoutChain), PvmfwError.INVALID_DICE_HANDOVER);
    assertError(() -> PvmFirmware.parseHandover(new byte[3]), PvmfwError.INVALID_DICE_HANDOVER);
  }

  private static BootMaterial legacy(String initrd) {
    return BootMaterial.of(
            ImageSource.of(Vectors.bytes("avb/images/kernel_microdroid_style.img")), KEY)
        .withInitrd(ImageSource.of(Vectors.bytes("avb/images/" + initrd)))
        .withInstanceId(INSTANCE_ID);
  }

  static DiceHandover incoming() {
    return PvmFirmware.parseHandover(Vectors.bytes("avf/pvmfw_test_handover.cbor"));
  }

  static void assertError(Runnable code, PvmfwError error) {
    assertThatThrownBy(code::run)
        .isInstanceOfSatisfying(
            PvmfwException.class, e -> assertThat(e.error()).as(e.getMessage()).isEqualTo(error));
  }
}
