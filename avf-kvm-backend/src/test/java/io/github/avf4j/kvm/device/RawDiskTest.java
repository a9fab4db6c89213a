package io.github.avf4j.kvm.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.virtio.blk.BlockBackend;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RawDiskTest {
  private static final int BLOCK = 4096;

  @TempDir Path folder;

  @Test
  void discardsAndZeroesWithoutTouchingNeighbours() throws IOException {
    byte[] content = new byte[4 * BLOCK];
    Arrays.fill(content, (byte) 7);
    Path image = Files.write(folder.resolve("disk"), content);
    try (BlockBackend disk = RawDisk.open(new DiskSpec(image, false, ""))) {
      assertThat(disk.canDiscard()).isTrue();
      disk.discard(0, 0);
      disk.writeZeroes(BLOCK, BLOCK);
      disk.discard(2 * BLOCK, BLOCK);
      ByteBuffer first = ByteBuffer.allocate(BLOCK);
      disk.read(first, 0);
      assertThat(first.array()).containsOnly((byte) 7);
    }
    byte[] after = Files.readAllBytes(image);
    assertThat(after).hasSize(content.length);
    assertThat(Arrays.copyOfRange(after, BLOCK, 2 * BLOCK)).containsOnly((byte) 0);
    assertThat(Arrays.copyOfRange(after, 3 * BLOCK, 4 * BLOCK)).containsOnly((byte) 7);
  }

  @Test
  void offersNoDiscardOnAReadOnlyDisk() throws IOException {
    Path image = Files.write(folder.resolve("disk"), new byte[BLOCK]);
    try (BlockBackend disk = RawDisk.open(new DiskSpec(image, true, ""))) {
      assertThat(disk.canDiscard()).isFalse();
    }
  }

  @Test
  void saysWhichImageCannotBeUsed() throws IOException {
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> RawDisk.open(new DiskSpec(missing, false, "")))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining(missing.toString());
    Path odd = Files.write(folder.resolve("odd"), new byte[100]);
    assertThatThrownBy(() -> RawDisk.open(new DiskSpec(odd, false, "")))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining(odd.toString())
        .hasMessageContaining("512");
  }
}
