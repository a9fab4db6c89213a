package io.github.avf4j.microdroid.payload;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.apk.ApkException;
import io.github.avf4j.microdroid.apk.ApkPolicy;
import io.github.avf4j.microdroid.apk.ApkVerifier;
import io.github.avf4j.microdroid.disk.CompositeDisk;
import io.github.avf4j.microdroid.disk.DiskImage;
import io.github.avf4j.microdroid.disk.Partition;
import io.github.avf4j.microdroid.disk.PartitionTable;
import io.github.avf4j.microdroid.disk.PayloadMetadata;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Looks at a VM's folder after something went wrong in it: what has a name must be whole. */
final class WholeFiles {
  private WholeFiles() {}

  /**
   * Checks a folder.
   *
   * @param apks those that the idsig may be of
   */
  static void check(Path folder, List<Path> apks) throws IOException {
    Path idsig = folder.resolve("idsig");
    if (Files.exists(idsig)) {
      assertThat(apks).as("the idsig belongs to an APK").anyMatch(apk -> belongs(idsig, apk));
    }
    if (Files.exists(folder.resolve("instance.img"))) {
      assertThat(ImageFormat.of(source(folder.resolve("instance.img"))))
          .isEqualTo(ImageFormat.INSTANCE);
      assertThat(folder.resolve("instance.img")).hasSize(10 << 20);
    }
    if (Files.exists(folder.resolve("storage.img"))) {
      assertThat(ImageFormat.of(source(folder.resolve("storage.img"))))
          .isEqualTo(ImageFormat.ENCRYPTED_STORE);
      assertThat(folder.resolve("storage.img")).hasSize(102_400);
    }
    if (Files.exists(folder.resolve("instance_id"))) {
      assertThat(folder.resolve("instance_id")).hasSize(64);
      assertThat(folder.resolve("instance.img")).exists();
      assertThat(folder.resolve("storage.img")).exists();
    }
    if (Files.exists(folder.resolve("payload.img"))) {
      assertThat(
              CompositeDisk.parse(
                      ByteSlice.takeOver(Files.readAllBytes(folder.resolve("payload.img"))))
                  .components())
          .isNotEmpty();
      try (DiskImage disk = DiskImage.open(folder.resolve("payload.img"))) {
        List<Partition> partitions = PartitionTable.read(disk).partitions();
        assertThat(partitions).hasSize(3);
        Partition metadata = partitions.get(0);
        PayloadMetadata.read(
            ImageSource.of(disk.readRange(metadata.start(), (int) metadata.size())));
        checkFlat(folder, disk);
      }
    }
  }

  /** The flat copy has no mark of its own: it is whole if the next run would take it. */
  private static void checkFlat(Path folder, DiskImage disk) throws IOException {
    if (new FlatDisk(folder.resolve("payload.img")).isCurrent()) {
      assertThat(folder.resolve(FlatDisk.IMAGE))
          .hasBinaryContent(disk.readRange(0, Math.toIntExact(disk.size())));
    }
  }

  private static boolean belongs(Path idsig, Path apk) {
    try {
      ApkVerifier.verify(
          ImageSource.of(Files.readAllBytes(apk)),
          ApkPolicy.DEFAULT,
          ImageSource.of(Files.readAllBytes(idsig)));
      return true;
    } catch (IOException | ApkException e) {
      return false;
    }
  }

  private static ImageSource source(Path file) throws IOException {
    return ImageSource.of(Files.readAllBytes(file));
  }
}
