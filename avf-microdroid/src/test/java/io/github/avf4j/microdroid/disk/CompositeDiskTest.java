package io.github.avf4j.microdroid.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Foreign;
import io.github.avf4j.microdroid.Vectors;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.internal.ProtobufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompositeDiskTest {
  private static final String[] FILES = {
    "composite.img",
    "composite-header.bin",
    "composite-footer.bin",
    "zero.img",
    "metadata-binary.bin",
    "small-ec.apk",
    "small-ec.apk.unsigned.idsig"
  };

  @TempDir Path folder;

  private CompositeDiskBuilder vectorDisk() throws IOException {
    Vectors.copyTo(folder, FILES);
    return new CompositeDiskBuilder()
        .diskGuid(UUID.fromString("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"))
        .partition("payload-metadata", folder.resolve("metadata-binary.bin"), false, guid(0))
        .partition("microdroid-apk", folder.resolve("small-ec.apk"), false, guid(1))
        .partition(
            "microdroid-apk-idsig", folder.resolve("small-ec.apk.unsigned.idsig"), false, guid(2));
  }

  private static UUID guid(int index) {
    return UUID.fromString("11111111-2222-4333-8444-55555555555" + index);
  }

  private static byte[] all(ImageSource source) throws IOException {
    return source.readRange(0, (int) source.size());
  }

  @Test
  void writesDescriptorHeaderAndFooterOfTheVector() throws Exception {
    vectorDisk().write(folder.resolve("composite.bin"));
    assertThat(folder.resolve("composite.bin")).hasBinaryContent(Vectors.bytes("composite.img"));
    assertThat(folder.resolve("composite-header.bin"))
        .hasBinaryContent(Vectors.bytes("composite-header.bin"));
    assertThat(folder.resolve("composite-footer.bin"))
        .hasBinaryContent(Vectors.bytes("composite-footer.bin"));
    assertThat(folder.resolve("zero.img")).hasBinaryContent(new byte[4096]);
  }

  @Test
  void assemblesTheDiskOfTheVector() throws Exception {
    Vectors.copyTo(folder, FILES);
    try (DiskImage disk = DiskImage.open(folder.resolve("composite.img"))) {
      assertThat(disk.size()).isEqualTo(98304);
      assertThat(MessageDigest.getInstance("SHA-256").digest(all(disk)))
          .isEqualTo(
              ByteSlice.ofHex("fa177065174bc5a1067d513d210e7fe8c7e35efcb1dffde50d25c256b269bf08")
                  .toByteArray());
      assertThat(disk.readRange(24570, 10)).startsWith(0, 0, 0, 0, 0, 0, 'P', 'K', 3, 4);
      assertThat(PartitionTable.read(disk).partitions())
          .extracting(Partition::label)
          .containsExactly("payload-metadata", "microdroid-apk", "microdroid-apk-idsig");
    }
  }

  @Test
  void survivesReadingAndWritingOfTheDescriptor() {
    CompositeDisk disk = CompositeDisk.parse(Vectors.slice("composite.img"));
    assertThat(disk.encode()).isEqualTo(Vectors.bytes("composite.img"));
    assertThat(disk.lengthOf(1)).isEqualTo(161);
  }

  @Test
  void isAcceptedBySfdisk() throws Exception {
    vectorDisk().write(folder.resolve("d.img"));
    Path raw = folder.resolve("raw.img");
    try (DiskImage disk = DiskImage.open(folder.resolve("d.img"))) {
      Files.write(raw, all(disk));
    }
    String text = Foreign.run("fdisk", "sfdisk", "--verify", raw);
    assertThat(text).contains("No errors detected");
    assertThat(Foreign.run("fdisk", "sfdisk", "--dump", raw))
        .contains("label-id: AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE", "name=\"microdroid-apk\"");
  }

  @Test
  void readsSparseAndNestedComponents() throws Exception {
    vectorDisk().write(folder.resolve("inner.img"));
    byte[] content;
    try (DiskImage inner = DiskImage.open(folder.resolve("inner.img"))) {
      content = all(inner);
      new SparseWriter().write(inner, folder.resolve("inner.simg"), (done, total) -> {});
    }
    new CompositeDiskBuilder()
        .partition("sparse", folder.resolve("inner.simg"), false)
        .write(folder.resolve("outer.img"));
    try (DiskImage outer = DiskImage.open(folder.resolve("outer.img"))) {
      assertThat(outer.readRange(20480, content.length)).isEqualTo(content);
    }
    Files.write(
        folder.resolve("nested.img"),
        new CompositeDisk(
                2, List.of(new CompositeDisk.Component("inner.img", 0, false)), content.length)
            .encode());
    try (DiskImage nested = DiskImage.open(folder.resolve("nested.img"))) {
      assertThat(all(nested)).isEqualTo(content);
    }
  }

  @Test
  void refusesADiskThatContainsItself() throws Exception {
    Path loop = folder.resolve("loop.img");
    Files.write(
        loop,
        new CompositeDisk(
                2,
                List.of(
                    new CompositeDisk.Component("loop.img", 0, false),
                    new CompositeDisk.Component("loop.img", 512, false)),
                1024)
            .encode());
    assertThatThrownBy(() -> DiskImage.open(loop))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("nested");
  }

  @Test
  void refusesAComponentThatIsShorterThanItsRange() throws Exception {
    Files.write(folder.resolve("short.bin"), new byte[100]);
    Files.write(
        folder.resolve("d.img"),
        new CompositeDisk(2, List.of(new CompositeDisk.Component("short.bin", 0, false)), 4096)
            .encode());
    assertThatThrownBy(() -> DiskImage.open(folder.resolve("d.img")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("must have 4096 bytes");
  }

  @Test
  void saysWhichComponentIsMissing() throws Exception {
    Vectors.copyTo(folder, "composite.img");
    assertThatThrownBy(() -> DiskImage.open(folder.resolve("composite.img")))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("composite-header.bin");
  }

  @Test
  void refusesDescriptorsThatContradictThemselves() {
    CompositeDisk.Component a = new CompositeDisk.Component("a", 0, false);
    CompositeDisk.Component b = new CompositeDisk.Component("b", 4096, true);
    assertThatThrownBy(() -> new CompositeDisk(2, List.of(), 1)).hasMessageContaining("1..4096");
    assertThatThrownBy(() -> new CompositeDisk(2, List.of(a, a), 1))
        .hasMessageContaining("two components are at offset 0");
    assertThatThrownBy(() -> new CompositeDisk(2, List.of(a, b), 4096))
        .hasMessageContaining("the disk has 4096 bytes");
    assertThatThrownBy(() -> new CompositeDisk(2, List.of(b), 8192))
        .hasMessageContaining("first component");
    assertThatThrownBy(() -> new CompositeDisk(3, List.of(a), 8192))
        .hasMessageContaining("version");
  }

  @Test
  void refusesUnknownVersionsAndCapabilities() {
    byte[] version = Vectors.bytes("composite.img");
    version[16] = 3;
    assertThatThrownBy(() -> CompositeDisk.parse(ByteSlice.takeOver(version)))
        .hasMessageContaining("version must be 1 or 2 but is 3");
    byte[] capability =
        new ProtobufWriter()
            .number(1, 2)
            .message(2, new ProtobufWriter().text(1, "a").number(3, 2).toByteArray())
            .number(3, 10)
            .toByteArray();
    byte[] file = new byte[15 + capability.length];
    System.arraycopy(version, 0, file, 0, 15);
    System.arraycopy(capability, 0, file, 15, capability.length);
    assertThatThrownBy(() -> CompositeDisk.parse(ByteSlice.takeOver(file)))
        .hasMessageContaining("capability of a component must be 0 or 1 but is 2 (at byte");
  }

  @Test
  void refusesPartitionsThatItCannotCompose() throws Exception {
    Vectors.copyTo(folder, FILES);
    CompositeDiskBuilder disk = new CompositeDiskBuilder();
    assertThatThrownBy(() -> disk.partition("w", folder.resolve("metadata-binary.bin"), true))
        .hasMessageContaining("multiple of 4096 bytes but has 161");
    assertThatThrownBy(() -> disk.partition("c", folder.resolve("composite.img"), false))
        .hasMessageContaining("composite disk: give a raw or sparse image");
    disk.partition("x".repeat(40), folder.resolve("zero.img"), true);
    assertThatThrownBy(() -> disk.partition("x".repeat(36), folder.resolve("zero.img"), false))
        .hasMessageContaining("two partitions");
    assertThatThrownBy(() -> disk.write(folder.resolve("zero.img")))
        .hasMessageContaining("would be overwritten");
  }

  @Test
  void composesTheSameDiskTwiceIfAsked() throws Exception {
    Vectors.copyTo(folder, FILES);
    byte[][] headers = new byte[2][];
    for (int i = 0; i < 2; i++) {
      headers[i] =
          new CompositeDiskBuilder()
              .reproducible()
              .partition("apk", folder.resolve("small-ec.apk"), false)
              .layout("h", "f", "z")
              .header();
    }
    assertThat(headers[0]).isEqualTo(headers[1]);
  }

  @Test
  void noticesEveryFlippedByteOfBothTables() throws Exception {
    Vectors.copyTo(folder, FILES);
    byte[] disk;
    try (DiskImage image = DiskImage.open(folder.resolve("composite.img"))) {
      disk = all(image);
    }
    int[] places = {512, 520, 524, 528, 536, 544, 552, 560, 568, 584, 592, 600};
    for (int place : places) {
      for (int at : new int[] {place, disk.length - 1024 + place}) {
        disk[at] ^= 1;
        assertThatThrownBy(() -> PartitionTable.read(ImageSource.of(disk)))
            .as("byte %d", at)
            .isInstanceOf(ImageException.class);
        disk[at] ^= 1;
      }
    }
    for (int at : new int[] {1024, 1024 + 200, disk.length - 512 - 16384}) {
      disk[at] ^= 1;
      assertThatThrownBy(() -> PartitionTable.read(ImageSource.of(disk)))
          .isInstanceOf(ImageException.class);
      disk[at] ^= 1;
    }
    assertThat(PartitionTable.read(ImageSource.of(disk)).partitions()).hasSize(3);
  }
}
