package io.github.avf4j.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import io.github.avf4j.virtio.testing.GuestHeap;
import io.github.avf4j.virtio.testing.GuestRing;
import io.github.avf4j.virtio.testing.Segment;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DescriptorChainTest {
  private static final int SIZE = 64;
  private static final long HALF = 0x40000;

  private final GuestMemory memory =
      GuestMemory.of(List.of(GuestRegion.allocate(0, HALF), GuestRegion.allocate(HALF, HALF)));
  private final GuestHeap heap = new GuestHeap(4096, HALF);
  private final GuestRing ring = new GuestRing(memory, heap, SIZE);
  private final Virtqueue queue =
      new Virtqueue(memory, 0, SIZE, ring.desc(), ring.avail(), ring.used(), true, true);

  private DescriptorChain chain(Segment... segments) {
    ring.add(segments);
    DescriptorChain chain = queue.poll();
    assertThat(chain).isNotNull();
    return chain;
  }

  /** Splits {@code bytes} into buffers at random places, one of them across the regions' seam. */
  private Segment[] scatter(byte[] bytes, Random random, boolean writable) {
    List<Segment> segments = new ArrayList<>();
    for (int done = 0; done < bytes.length; ) {
      int part = Math.min(bytes.length - done, random.nextInt(bytes.length / 8 + 1));
      long address = segments.size() == 2 ? HALF - part / 2 : heap.allocate(Math.max(part, 1), 1);
      memory.write(address, bytes, done, part);
      segments.add(new Segment(address, part, writable));
      done += part;
    }
    return segments.toArray(new Segment[0]);
  }

  private byte[] gather(Segment[] segments) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Segment segment : segments) {
      byte[] bytes = new byte[(int) segment.length()];
      memory.read(segment.address(), bytes, 0, bytes.length);
      all.writeBytes(bytes);
    }
    return all.toByteArray();
  }

  private static byte[] randomBytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  @Test
  void readsAStreamWhateverTheSplit() {
    for (int seed = 0; seed < 30; seed++) {
      Random random = new Random(seed);
      byte[] bytes = randomBytes(random, 400);
      DescriptorChain chain = chain(scatter(bytes, random, false));
      ByteBuffer expected = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      while (chain.readRemaining() >= 8) {
        switch (random.nextInt(7)) {
          case 0 -> assertThat(chain.readByte()).isEqualTo(expected.get());
          case 1 -> assertThat(chain.readShort()).isEqualTo(expected.getShort());
          case 2 -> assertThat(chain.readInt()).isEqualTo(expected.getInt());
          case 3 -> assertThat(chain.readLong()).isEqualTo(expected.getLong());
          case 4 -> {
            int length = random.nextInt((int) chain.readRemaining());
            chain.skip(length);
            expected.position(expected.position() + length);
          }
          case 5 -> {
            byte[] part = new byte[random.nextInt(16) + 2];
            int length = chain.read(part, 1, part.length - 1);
            byte[] same = new byte[length];
            expected.get(same);
            assertThat(Arrays.copyOfRange(part, 1, 1 + length)).isEqualTo(same);
          }
          default -> {
            ByteBuffer part = ByteBuffer.allocate(random.nextInt(16) + 8).position(3).limit(8);
            int length = chain.read(part);
            byte[] same = new byte[length];
            expected.get(same);
            assertThat(part.position()).isEqualTo(3 + length);
            assertThat(part.limit()).isEqualTo(8);
            assertThat(Arrays.copyOfRange(part.array(), 3, 3 + length)).isEqualTo(same);
          }
        }
        assertThat(chain.readRemaining()).isEqualTo(expected.remaining());
      }
      queue.complete(chain, 0);
    }
  }

  @Test
  void writesAStreamWhateverTheSplit() {
    for (int seed = 0; seed < 30; seed++) {
      Random random = new Random(seed);
      Segment[] segments = scatter(new byte[400], random, true);
      DescriptorChain chain = chain(segments);
      ByteBuffer expected = ByteBuffer.allocate(400).order(ByteOrder.LITTLE_ENDIAN);
      while (chain.writeRemaining() >= 8) {
        switch (random.nextInt(6)) {
          case 0 -> {
            chain.writeByte((byte) 7);
            expected.put((byte) 7);
          }
          case 1 -> {
            chain.writeShort((short) 0x1234);
            expected.putShort((short) 0x1234);
          }
          case 2 -> {
            chain.writeInt(0x12345678);
            expected.putInt(0x12345678);
          }
          case 3 -> {
            chain.writeLong(0x123456789abcdef0L);
            expected.putLong(0x123456789abcdef0L);
          }
          case 4 -> {
            byte[] part = randomBytes(random, 12);
            expected.put(part, 2, chain.write(part, 2, 10));
          }
          default -> {
            ByteBuffer part = ByteBuffer.wrap(randomBytes(random, 20)).position(5).limit(15);
            int length = chain.write(part);
            assertThat(part.position()).isEqualTo(5 + length);
            assertThat(part.limit()).isEqualTo(15);
            expected.put(part.array(), 5, length);
          }
        }
        assertThat(chain.written()).isEqualTo(expected.position());
      }
      assertThat(gather(segments)).isEqualTo(expected.array());
      queue.complete(chain, 0);
    }
  }

  @Test
  void refusesToReadOrWritePastTheEndAndMovesNothing() {
    DescriptorChain chain = chain(new Segment(0x3000, 3, false), new Segment(0x3010, 3, true));
    assertThatThrownBy(chain::readInt).isInstanceOf(VirtqueueException.class);
    assertThatThrownBy(() -> chain.skip(4)).isInstanceOf(VirtqueueException.class);
    assertThatThrownBy(() -> chain.skip(-1)).isInstanceOf(VirtqueueException.class);
    assertThatThrownBy(() -> chain.writeInt(1)).isInstanceOf(VirtqueueException.class);
    assertThatThrownBy(() -> chain.writeAt(3, (byte) 0)).isInstanceOf(VirtqueueException.class);
    assertThatThrownBy(() -> chain.writeAt(-1, (byte) 0)).isInstanceOf(VirtqueueException.class);
    assertThat(chain.readRemaining()).isEqualTo(3);
    assertThat(chain.writeRemaining()).isEqualTo(3);
    assertThat(chain.read(ByteBuffer.allocate(10))).isEqualTo(3);
    assertThat(chain.read(ByteBuffer.allocate(10))).isZero();
    assertThat(chain.write(ByteBuffer.allocate(10))).isEqualTo(3);
    assertThat(chain.write(new byte[10], 0, 10)).isZero();
    assertThatThrownBy(() -> chain.lendToRead(1, bytes -> {}))
        .isInstanceOf(VirtqueueException.class);
    assertThatThrownBy(() -> chain.lendToFill(1, bytes -> {}))
        .isInstanceOf(VirtqueueException.class);
    chain.skip(0);
  }

  @Test
  void writesOneByteAnywhereWithoutMovingTheCursor() {
    Segment[] segments = {
      new Segment(0x3000, 16, false), new Segment(0x3010, 3, true), new Segment(0x4000, 2, true)
    };
    DescriptorChain chain = chain(segments);
    chain.writeAt(4, (byte) 9);
    chain.writeAt(0, (byte) 8);
    chain.writeAt(3, (byte) 7);
    assertThat(chain.written()).isZero();
    assertThat(memory.loadByte(0x4001)).isEqualTo((byte) 9);
    assertThat(memory.loadByte(0x3010)).isEqualTo((byte) 8);
    assertThat(memory.loadByte(0x4000)).isEqualTo((byte) 7);
  }
}
