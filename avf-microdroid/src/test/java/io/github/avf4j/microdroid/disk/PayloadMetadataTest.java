package io.github.avf4j.microdroid.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Vectors;
import io.github.avf4j.microdroid.image.ImageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PayloadMetadataTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"metadata-binary.bin", "metadata-config-path.bin"})
  void survivesReadingAndWriting(String name) {
    PayloadMetadata metadata = PayloadMetadata.parse(Vectors.slice(name));
    assertThat(metadata.encode()).isEqualTo(Vectors.bytes(name));
  }

  @Test
  void readsWhatTheHostFillsIn() {
    PayloadMetadata metadata = PayloadMetadata.parse(Vectors.slice("metadata-binary.bin"));
    assertThat(metadata.apexes())
        .containsExactly(
            PayloadMetadata.Apex.of("com.android.adbd", "microdroid-apex-0", 1_700_000_000L, false),
            PayloadMetadata.Apex.of("com.android.os.statsd", "microdroid-apex-1", 0, true));
    assertThat(metadata.task()).contains(new PayloadMetadata.Binary("libpayload.so", 1));
    assertThat(PayloadMetadata.parse(Vectors.slice("metadata-config-path.bin")).task())
        .contains(new PayloadMetadata.ConfigPath("/mnt/apk/assets/vm_config.json"));
  }

  @Test
  void assemblesThePartitionsInAvfsOrder() throws Exception {
    Vectors.copyTo(folder, "small-ec.apk", "small-ec.apk.unsigned.idsig", "zero.img");
    Path apk = folder.resolve("small-ec.apk");
    Path idsig = folder.resolve("small-ec.apk.unsigned.idsig");
    Path apex = Files.move(folder.resolve("zero.img"), folder.resolve("adbd.apex"));
    MicrodroidPayload payload =
        MicrodroidPayload.ofBinary(apk, idsig, "libpayload.so")
            .apex("com.android.adbd", apex, 7, false)
            .extraApk(apk, idsig)
            .reproducible();
    payload.write(folder.resolve("payload.img"));
    try (DiskImage disk = DiskImage.open(folder.resolve("payload.img"))) {
      PartitionTable table = PartitionTable.read(disk);
      assertThat(table.partitions())
          .extracting(Partition::label)
          .containsExactly(
              "payload-metadata",
              "microdroid-apex-0",
              "microdroid-apk",
              "microdroid-apk-idsig",
              "extra-apk-0",
              "extra-idsig-0");
      assertThat(disk.descriptor().orElseThrow().components())
          .noneMatch(CompositeDisk.Component::writable);
      Partition first = table.partitions().get(0);
      ImageSource bytes = ImageSource.of(disk.readRange(first.start(), (int) first.size()));
      assertThat(PayloadMetadata.read(bytes)).isEqualTo(payload.metadata());
      assertThat(payload.metadata().task())
          .contains(new PayloadMetadata.Binary("libpayload.so", 1));
    }
    assertThat(Files.exists(folder.resolve("payload-metadata.img"))).isTrue();
  }

  @Test
  void refusesABinaryThatIsAPath() {
    assertThatThrownBy(() -> MicrodroidPayload.ofBinary(folder, folder, "lib/x.so"))
        .isInstanceOf(ImageException.class);
  }

  @Test
  void refusesWhatIsCutOffOrOfAnotherVersion() {
    byte[] bytes = Vectors.bytes("metadata-binary.bin");
    for (int length = 0; length < bytes.length; length++) {
      ByteSlice cut = ByteSlice.copyOf(bytes).slice(0, length);
      assertThatThrownBy(() -> PayloadMetadata.parse(cut)).isInstanceOf(ImageException.class);
    }
    bytes[5] = 2;
    assertThatThrownBy(() -> PayloadMetadata.parse(ByteSlice.takeOver(bytes)))
        .hasMessageContaining("version must be 1 but is 2");
  }

  @Test
  void writesTheGuestsFileForApexd() {
    PayloadMetadata.Apex apex =
        new PayloadMetadata.Apex(
            "a", "", ByteSlice.ofHex("0102"), ByteSlice.ofHex("03"), 1, true, -1, "m");
    PayloadMetadata metadata =
        new PayloadMetadata(java.util.List.of(apex), Optional.empty(), Optional.empty());
    assertThat(PayloadMetadata.parse(ByteSlice.takeOver(metadata.encode()))).isEqualTo(metadata);
  }
}
