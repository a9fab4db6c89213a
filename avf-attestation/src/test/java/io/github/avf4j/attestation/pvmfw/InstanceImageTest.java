package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceMode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class InstanceImageTest {
  private static final JsonNode VECTOR =
      Vectors.json("avf/pvmfw_derivation_computed.json").required("instance_img");
  private final byte[] partition = Vectors.hex(VECTOR, "partition").toByteArray();

  @Test
  void opensTheKnownRecord() {
    InstanceImage image = InstanceImage.open(InstanceStorage.of(partition));
    InstanceImage.Record record = image.find(InstanceImage.PVMFW).orElseThrow();
    assertThat(record.size()).isEqualTo(221);
    try (DiceHandover incoming = PvmFirmwareTest.incoming();
        InstanceCipher cipher = InstanceCipher.ofPvmfw(incoming.cdis().seal())) {
      PvmfwRecord read = PvmfwRecord.read(image, record, cipher);
      assertThat(read.encode()).isEqualTo(Vectors.hex(VECTOR, "plaintext").toByteArray());
      assertThat(read.mode()).isEqualTo(DiceMode.NORMAL);
      byte[] nonce = Vectors.hex(VECTOR, "nonce").toByteArray();
      assertThat(cipher.seal(read.encode(), new byte[0], nonce))
          .isEqualTo(Vectors.hex(VECTOR, "payload").toByteArray());
      InstanceImage made = InstanceImage.format(InstanceStorage.of(new byte[1536]));
      made.append(InstanceImage.PVMFW, cipher.seal(read.encode(), new byte[0], nonce));
    }
  }

  @Test
  void writesTheKnownPartition() {
    byte[] made = new byte[1536];
    InstanceImage.format(InstanceStorage.of(made))
        .append(InstanceImage.PVMFW, Vectors.hex(VECTOR, "payload").toByteArray());
    assertThat(made).isEqualTo(partition);
  }

  @Test
  void noticesEveryChangedByteOfTheRecord() {
    try (DiceHandover incoming = PvmFirmwareTest.incoming();
        InstanceCipher cipher = InstanceCipher.ofPvmfw(incoming.cdis().seal())) {
      for (int i = 0; i < 221; i += 11) {
        byte[] changed = partition.clone();
        changed[1024 + i] ^= 1;
        InstanceImage image = InstanceImage.open(InstanceStorage.of(changed));
        InstanceImage.Record record = image.records().get(0);
        PvmFirmwareTest.assertError(
            () -> PvmfwRecord.read(image, record, cipher), PvmfwError.INSTANCE_DECRYPTION_FAILED);
      }
    }
  }

  @Test
  void sealsMicrodroidsRecordToItsHeader() {
    byte[] memory = new byte[8192];
    InstanceImage image = InstanceImage.format(InstanceStorage.of(memory));
    byte[] plain = "anything".getBytes(StandardCharsets.US_ASCII);
    try (SecretBytes cdi = SecretBytes.takeOver(new byte[32]);
        InstanceCipher cipher = InstanceCipher.ofMicrodroid(cdi)) {
      int size = InstanceCipher.sealedSize(plain.length);
      byte[] header = InstanceImage.headerBlock(InstanceImage.MICRODROID, size);
      image.append(new UUID(1, 2), new byte[700]);
      InstanceImage.Record record =
          image.append(InstanceImage.MICRODROID, cipher.seal(plain, header));
      assertThat(record.headerOffset()).isEqualTo(512 + 512 + 1024);
      assertThat(image.headerBlock(record)).isEqualTo(header);
      try (SecretBytes opened = cipher.open(image.payload(record), image.headerBlock(record))) {
        assertThat(opened.toByteArray()).isEqualTo(plain);
      }
      header[100] = 1;
      PvmFirmwareTest.assertError(
          () -> cipher.open(image.payload(record), header), PvmfwError.INSTANCE_DECRYPTION_FAILED);
    }
  }

  @Test
  void tellsAMissingFromADamagedHeader() {
    PvmFirmwareTest.assertError(
        () -> InstanceImage.open(InstanceStorage.of(new byte[4096])),
        PvmfwError.INSTANCE_MISSING_HEADER);
    byte[] damaged = partition.clone();
    damaged[19] = 2;
    PvmFirmwareTest.assertError(
        () -> InstanceImage.open(InstanceStorage.of(damaged)), PvmfwError.INSTANCE_INVALID_HEADER);
  }

  @Test
  void refusesARecordThatDoesNotFit() {
    InstanceImage image = InstanceImage.format(InstanceStorage.of(new byte[1536]));
    PvmFirmwareTest.assertError(
        () -> image.append(InstanceImage.PVMFW, new byte[513]), PvmfwError.INSTANCE_IMAGE_FULL);
    byte[] lying = partition.clone();
    lying[512 + 16 + 7] = 0x7f;
    PvmFirmwareTest.assertError(
        () -> InstanceImage.open(InstanceStorage.of(lying)).records(),
        PvmfwError.INSTANCE_INVALID_HEADER);
  }

  @Test
  void findsThePartitionOnADisk() {
    byte[] disk = diskWith(40, 42, "vm-instance");
    System.arraycopy(partition, 0, disk, 40 * 512, partition.length);
    assertThat(InstanceImage.open(InstanceStorage.of(disk)).records()).hasSize(1);
    PvmFirmwareTest.assertError(
        () -> InstanceImage.open(InstanceStorage.of(diskWith(40, 42, "vm-instances"))),
        PvmfwError.INSTANCE_MISSING_IMAGE);
    PvmFirmwareTest.assertError(
        () -> InstanceImage.open(InstanceStorage.of(diskWith(40, 64, "vm-instance"))),
        PvmfwError.INSTANCE_FAILED_IO);
  }

  private static byte[] diskWith(long first, long last, String name) {
    ByteBuffer disk = ByteBuffer.allocate(64 * 512).order(ByteOrder.LITTLE_ENDIAN);
    disk.position(512);
    disk.put("EFI PART".getBytes(StandardCharsets.US_ASCII)).putInt(0x10000).putInt(92);
    disk.putLong(512 + 24, 1).putLong(512 + 72, 2).putInt(512 + 80, 8).putInt(512 + 84, 128);
    int entry = 2 * 512 + 3 * 128;
    disk.putLong(entry + 32, first).putLong(entry + 40, last);
    disk.position(entry + 56);
    disk.put(name.getBytes(StandardCharsets.UTF_16LE));
    return disk.array();
  }

  @Test
  void neverPrintsTheSalt() {
    ByteSlice part = ByteSlice.takeOver(filled(0x11));
    PvmfwRecord record =
        new PvmfwRecord(part, part, ByteSlice.takeOver(filled(0xa5)), DiceMode.NORMAL);
    assertThat(record.toString()).doesNotContain("a5a5");
  }

  private static byte[] filled(int value) {
    byte[] bytes = new byte[64];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
