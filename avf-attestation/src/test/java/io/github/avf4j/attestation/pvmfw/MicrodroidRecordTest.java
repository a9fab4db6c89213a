package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.pvmfw.MicrodroidRecord.RollbackIndex;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The image and its plaintext were made by another implementation, from the specification. */
class MicrodroidRecordTest {
  private static final JsonNode VECTOR = Vectors.json("api/microdroid_instance.json");
  private static final byte[] PLAIN = Vectors.hex(VECTOR, "plaintext_cbor").toByteArray();

  /** The image says the key of the record, not what it derives from. */
  private static InstanceCipher cipher() {
    return new InstanceCipher(Vectors.hex(VECTOR, "sealing_key").toByteArray(), true);
  }

  @Test
  void opensTheKnownImage() {
    InstanceImage image =
        InstanceImage.open(InstanceStorage.of(Vectors.bytes("api/microdroid_instance.img")));
    InstanceImage.Record record = image.find(InstanceImage.MICRODROID).orElseThrow();
    assertThat(record.size()).isEqualTo(VECTOR.required("payload_size").intValue());
    try (InstanceCipher cipher = cipher()) {
      MicrodroidRecord opened = MicrodroidRecord.read(image, record, cipher);
      assertThat(opened.salt()).hasValue(ByteSlice.takeOver(new byte[64]));
      assertThat(opened.apk().packageName()).isEqualTo("com.example.avf.sample");
      assertThat(opened.apk().versionCode()).isEqualTo(42);
      assertThat(opened.apk().rootHash().length()).isEqualTo(32);
      assertThat(opened.apk().rollbackIndexField()).isEqualTo(RollbackIndex.NO_FIELD);
      assertThat(opened.extraApks()).isEmpty();
      MicrodroidRecord.Apex apex = opened.apexes().get(0);
      assertThat(apex.manifestName()).hasValue("com.android.adbd");
      assertThat(apex.publicKey()).isEqualTo(ByteSlice.ofHex("010203"));
      assertThat(apex.isFactory()).isFalse();
      assertThat(opened.encode()).isEqualTo(PLAIN);
      assertThat(opened.toString()).doesNotContain("0000");
    }
  }

  @Test
  void keepsTheFormOfMarch2025() {
    ByteSlice hash = ByteSlice.ofHex("00ff17");
    MicrodroidRecord record =
        new MicrodroidRecord(
            Optional.empty(),
            new MicrodroidRecord.Apk(hash, hash, "a", -1, RollbackIndex.PRESENT, 9),
            List.of(new MicrodroidRecord.Apk(hash, hash, "", 0, RollbackIndex.NONE, 0)),
            List.of(
                new MicrodroidRecord.Apex(
                    "n", Optional.empty(), Optional.empty(), hash, hash, 5, true)));
    byte[] plain = record.encode();
    assertThat(MicrodroidRecord.decode(plain)).isEqualTo(record);
    InstanceImage image = InstanceImage.format(InstanceStorage.of(new byte[4096]));
    try (InstanceCipher cipher = cipher();
        SecretBytes other = SecretBytes.takeOver(new byte[32]);
        InstanceCipher wrong = InstanceCipher.ofMicrodroid(other)) {
      InstanceImage.Record added = record.appendTo(image, cipher);
      assertThat(MicrodroidRecord.read(image, added, cipher)).isEqualTo(record);
      PvmFirmwareTest.assertError(
          () -> MicrodroidRecord.read(image, added, wrong), PvmfwError.INSTANCE_DECRYPTION_FAILED);
    }
  }

  @Test
  void refusesWhatIsCutOffOrChanged() {
    for (int length = 0; length < PLAIN.length; length++) {
      assertUnusable(Arrays.copyOf(PLAIN, length));
    }
    assertUnusable(Arrays.copyOf(PLAIN, PLAIN.length + 1));
    byte[] noText = PLAIN.clone();
    noText[1] = 0x44;
    assertUnusable(noText);
    byte[] noByte = PLAIN.clone();
    assertThat(noByte[8]).as("the first byte of the salt").isZero();
    noByte[8] = 0x20;
    assertUnusable(noByte);
    byte[] shortSalt = PLAIN.clone();
    shortSalt[7] = 63;
    assertUnusable(shortSalt);
  }

  @Test
  void refusesAnUnknownField() {
    byte[] unknown = new byte[PLAIN.length + 3];
    System.arraycopy(PLAIN, 0, unknown, 0, PLAIN.length);
    unknown[0]++;
    unknown[PLAIN.length] = 0x61;
    unknown[PLAIN.length + 1] = 'x';
    assertUnusable(unknown);
  }

  private static void assertUnusable(byte[] plain) {
    PvmFirmwareTest.assertError(
        () -> MicrodroidRecord.decode(plain), PvmfwError.INSTANCE_INVALID_RECORD);
  }
}
