package io.github.avf4j.virtio.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuestMemoryTest {
  private static final long PAGE = 4096;

  /** RAM at 0x1000-0x3000 in two adjacent regions, a hole, and RAM at 0x10000-0x11000. */
  private final GuestMemory memory =
      GuestMemory.of(
          List.of(
              GuestRegion.allocate(0x10000, PAGE),
              GuestRegion.allocate(0x2000, PAGE),
              GuestRegion.allocate(0x1000, PAGE)));

  @ParameterizedTest
  @CsvSource({
    "0x1000, 0, true",
    "0x0, 0, true",
    "0x1000, 0x2000, true",
    "0x1fff, 2, true",
    "0x2fff, 1, true",
    "0x2fff, 2, false",
    "0xfff, 1, false",
    "0xfff, 2, false",
    "0x0, 1, false",
    "0x1000, 0xf001, false",
    "0x10000, 0x1000, true",
    "0x10000, 0x1001, false",
    "0x1000, 0x7fffffffffffffff, false",
    "0x1000, -1, false",
    "-1, 1, false",
    "-1, 2, false",
    "-0x1000, 0x3000, false",
    "0x7fffffffffffffff, 1, false",
  })
  void saysWhatIsRam(String address, String length, boolean ram) {
    assertThat(memory.contains(Long.decode(address), Long.decode(length))).isEqualTo(ram);
  }

  @Test
  void storesLittleEndianAcrossAdjacentRegions() {
    memory.storeLong(0x1ffd, 0x0807060504030201L);
    assertThat(memory.loadLong(0x1ffd)).isEqualTo(0x0807060504030201L);
    assertThat(memory.loadInt(0x1ffe)).isEqualTo(0x05040302);
    assertThat(memory.loadShort(0x1fff)).isEqualTo((short) 0x0403);
    assertThat(memory.loadByte(0x2000)).isEqualTo((byte) 4);
    memory.storeInt(0x1ffe, 0x11121314);
    memory.storeShort(0x1fff, (short) 0x2122);
    memory.storeByte(0x2000, (byte) 0x31);
    assertThat(memory.loadByte(0x1ffe)).isEqualTo((byte) 0x14);
    assertThat(memory.loadByte(0x1fff)).isEqualTo((byte) 0x22);
    assertThat(memory.loadByte(0x2000)).isEqualTo((byte) 0x31);
  }

  @Test
  void refusesEveryAccessThatLeavesRam() {
    for (long address : new long[] {0x2fff, 0x10fff}) {
      assertThatThrownBy(() -> memory.loadShort(address)).isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.loadInt(address)).isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.loadLong(address)).isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.storeLong(address, -1))
          .isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.read(address, ByteBuffer.allocate(2)))
          .isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.write(address, new byte[2], 0, 2))
          .isInstanceOf(GuestMemoryException.class);
      assertThat(memory.lendToRead(address, 2, bytes -> {})).isEqualTo(1);
      assertThat(memory.loadByte(address)).as("nothing was stored in part").isZero();
    }
    assertThatThrownBy(() -> memory.loadByte(-1)).isInstanceOf(GuestMemoryException.class);
    assertThatThrownBy(() -> memory.loadLong(-4)).isInstanceOf(GuestMemoryException.class);
    assertThatThrownBy(() -> memory.storeByte(0, (byte) 1))
        .isInstanceOf(GuestMemoryException.class)
        .hasMessageContaining("0x0");
  }

  @Test
  void orderedAccessesNeedAnEvenAddress() {
    memory.storeShortRelease(0x1000, (short) 0xbeef);
    assertThat(memory.loadShortAcquire(0x1000)).isEqualTo((short) 0xbeef);
    assertThat(memory.loadByte(0x1000)).isEqualTo((byte) 0xef);
    assertThatThrownBy(() -> memory.loadShortAcquire(0x1001))
        .isInstanceOf(GuestMemoryException.class);
    assertThatThrownBy(() -> memory.storeShortRelease(0x3000, (short) 0))
        .isInstanceOf(GuestMemoryException.class);
  }

  @Test
  void lendsWhatLiesInOneChunk() {
    assertThat(memory.lendToFill(0x1ff0, 32, room -> room.putInt(42).putLong(7).putInt(43)))
        .isEqualTo(16);
    assertThat(memory.loadInt(0x1ff0)).isEqualTo(42);
    assertThat(
            memory.lendToRead(
                0x1ffc, 4, bytes -> assertThat(bytes.getInt()).as("its last word").isEqualTo(43)))
        .isEqualTo(4);
    assertThatThrownBy(() -> memory.lendToRead(0x3000, 1, bytes -> {}))
        .isInstanceOf(GuestMemoryException.class);
    assertThatThrownBy(() -> memory.lendToFill(0, 1, bytes -> {}))
        .isInstanceOf(GuestMemoryException.class);
  }

  @Test
  void copiesAsAnArrayWould() {
    Random random = new Random(4);
    byte[] model = new byte[0x2000];
    for (int round = 0; round < 2000; round++) {
      int offset = random.nextInt(model.length);
      byte[] bytes = new byte[random.nextInt(model.length - offset + 1)];
      random.nextBytes(bytes);
      System.arraycopy(bytes, 0, model, offset, bytes.length);
      if (random.nextBoolean()) {
        memory.write(0x1000 + offset, ByteBuffer.wrap(bytes));
      } else {
        memory.write(0x1000 + offset, bytes, 0, bytes.length);
      }
      int from = random.nextInt(model.length);
      byte[] back = new byte[random.nextInt(model.length - from + 1)];
      if (random.nextBoolean()) {
        memory.read(0x1000 + from, ByteBuffer.wrap(back));
      } else {
        memory.read(0x1000 + from, back, 0, back.length);
      }
      assertThat(ByteBuffer.wrap(back)).isEqualTo(ByteBuffer.wrap(model, from, back.length));
    }
  }

  @Test
  void crossesFromOneChunkToTheNext(@TempDir Path folder) throws Exception {
    long size = GuestRegion.CHUNK_SIZE + PAGE;
    try (FileChannel file =
        FileChannel.open(
            folder.resolve("ram"),
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.allocate(1), size - 1);
      GuestMemory large =
          GuestMemory.of(
              List.of(
                  new GuestRegion(
                      0x4000_0000L,
                      size,
                      List.of(
                          file.map(FileChannel.MapMode.READ_WRITE, 0, GuestRegion.CHUNK_SIZE),
                          file.map(
                              FileChannel.MapMode.READ_WRITE, GuestRegion.CHUNK_SIZE, PAGE)))));
      long seam = 0x8000_0000L;
      large.storeLong(seam - 3, 0x1122334455667788L);
      assertThat(large.loadLong(seam - 3)).isEqualTo(0x1122334455667788L);
      assertThat(large.loadByte(seam)).isEqualTo((byte) 0x55);
      assertThat(large.lendToRead(seam - 3, 8, bytes -> {})).isEqualTo(3);
      assertThat(large.contains(seam - 3, PAGE + 3)).isTrue();
      assertThat(large.contains(seam - 3, PAGE + 4)).isFalse();
      byte[] bytes = new byte[8];
      large.read(seam - 3, bytes, 0, 8);
      assertThat(bytes).containsExactly(0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11);
    }
  }

  @Test
  void refusesRegionsThatOverlap() {
    assertThatThrownBy(
            () ->
                GuestMemory.of(
                    List.of(GuestRegion.allocate(0, 2 * PAGE), GuestRegion.allocate(PAGE, PAGE))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("overlap");
    assertThatThrownBy(() -> GuestMemory.of(List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesRegionsThatAreNoRam() {
    assertThatThrownBy(() -> GuestRegion.allocate(1, PAGE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> GuestRegion.allocate(-PAGE, PAGE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new GuestRegion(0, PAGE, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new GuestRegion(0, PAGE, List.of(ByteBuffer.allocate((int) PAGE))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("direct");
    assertThatThrownBy(() -> new GuestRegion(Long.MAX_VALUE - 4095, PAGE, List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
