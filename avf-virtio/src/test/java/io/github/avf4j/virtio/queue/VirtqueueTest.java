package io.github.avf4j.virtio.queue;

import static io.github.avf4j.virtio.testing.GuestRing.INDIRECT;
import static io.github.avf4j.virtio.testing.GuestRing.NEXT;
import static io.github.avf4j.virtio.testing.GuestRing.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import io.github.avf4j.virtio.testing.GuestHeap;
import io.github.avf4j.virtio.testing.GuestRing;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.Used;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VirtqueueTest {
  private static final int SIZE = 8;
  private static final long RAM = 1 << 20;
  private static final long BUFFER = 0x8000;
  private static final long TABLE = 0x20000;

  private final GuestMemory memory =
      GuestMemory.of(
          List.of(
              GuestRegion.allocate(0, RAM / 2),
              GuestRegion.allocate(RAM / 2, RAM / 2),
              GuestRegion.allocate(2 * RAM, RAM)));
  private final GuestRing ring = new GuestRing(memory, new GuestHeap(4096, BUFFER), SIZE);
  private final Virtqueue queue = queue(false, true);

  private Virtqueue queue(boolean eventIdx, boolean indirect) {
    return new Virtqueue(
        memory, 3, SIZE, ring.desc(), ring.avail(), ring.used(), eventIdx, indirect);
  }

  private static Segment readable(long address, long length) {
    return new Segment(address, length, false);
  }

  private static Segment writable(long address, long length) {
    return new Segment(address, length, true);
  }

  private DescriptorChain poll() {
    DescriptorChain chain = queue.poll();
    assertThat(chain).isNotNull();
    return chain;
  }

  private void assertBad(int head) {
    assertBad(queue, head);
  }

  private void assertBad(Virtqueue tested, int head) {
    long before = tested.badChains();
    assertThat(tested.poll()).isNull();
    assertThat(tested.badChains()).isEqualTo(before + 1);
    assertThat(tested.broken()).isFalse();
    assertThat(ring.collect()).isEqualTo(new Used(head, 0));
    // The queue goes on.
    int good = ring.add(readable(BUFFER, 4));
    DescriptorChain chain = tested.poll();
    assertThat(chain).isNotNull();
    assertThat(chain.head()).isEqualTo(good);
    tested.complete(chain, 0);
    assertThat(ring.collect()).isEqualTo(new Used(good, 0));
  }

  @Test
  void hasNothingBeforeTheDriverAddsSomething() {
    assertThat(queue.poll()).isNull();
    assertThat(queue.interruptNeeded()).isFalse();
  }

  @Test
  void takesChainsInOrderAndGivesThemBackInAny() {
    int first = ring.add(readable(BUFFER, 4), writable(BUFFER + 8, 4));
    int second = ring.add(writable(BUFFER + 16, 100));
    DescriptorChain a = poll();
    DescriptorChain b = poll();
    assertThat(queue.poll()).isNull();
    assertThat(a.head()).isEqualTo(first);
    assertThat(a.readableLength()).isEqualTo(4);
    assertThat(a.writableLength()).isEqualTo(4);
    assertThat(b.head()).isEqualTo(second);
    queue.complete(b, 100);
    queue.complete(a, 3);
    assertThat(ring.collect()).isEqualTo(new Used(second, 100));
    assertThat(ring.collect()).isEqualTo(new Used(first, 3));
    assertThat(ring.collect()).isNull();
  }

  @Test
  void neverClaimsMoreThanTheWritablePart() {
    ring.add(readable(BUFFER, 4), writable(BUFFER + 8, 4));
    queue.complete(poll(), 5);
    assertThat(ring.collect()).isEqualTo(new Used(0, 4));
    ring.add(writable(BUFFER + 8, 4));
    queue.complete(poll(), -1);
    assertThat(ring.collect()).isEqualTo(new Used(2, 0));
  }

  @Test
  void goesOnAcrossTheWrapOfTheIndices() {
    for (int i = 0; i < 70_000; i++) {
      int head = ring.add(writable(BUFFER, 4));
      queue.complete(poll(), 4);
      assertThat(ring.collect()).isEqualTo(new Used(head, 4));
    }
    assertThat(queue.nextAvailable()).isEqualTo(70_000 & 0xffff);
  }

  @Test
  void startsAtGivenIndices() {
    ring.startAt(0xfffe);
    Virtqueue restored =
        new Virtqueue(
            memory, 0, SIZE, ring.desc(), ring.avail(), ring.used(), false, false, 0xfffe, 0xfffe);
    assertThat(restored.poll()).isNull();
    for (int i = 0; i < 4; i++) {
      int head = ring.add(writable(BUFFER, 4));
      DescriptorChain chain = restored.poll();
      assertThat(chain).isNotNull();
      restored.complete(chain, 1);
      assertThat(ring.collect()).isEqualTo(new Used(head, 1));
    }
    assertThat(restored.nextAvailable()).isEqualTo(2);
  }

  @Test
  void reusesItsChains() {
    ring.add(readable(BUFFER, 4));
    DescriptorChain first = poll();
    queue.complete(first, 0);
    ring.add(readable(BUFFER, 4));
    assertThat(poll()).isSameAs(first);
  }

  @Test
  void refusesToCompleteAChainTwiceOrForAnotherQueue() {
    ring.add(readable(BUFFER, 4));
    DescriptorChain chain = poll();
    assertThatThrownBy(() -> queue(false, false).complete(chain, 0))
        .isInstanceOf(IllegalArgumentException.class);
    queue.complete(chain, 0);
    assertThatThrownBy(() -> queue.complete(chain, 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void givesNothingOnceStopped() {
    ring.add(readable(BUFFER, 4));
    ring.add(readable(BUFFER, 4));
    DescriptorChain held = poll();
    queue.stop();
    assertThat(held.isAbandoned()).isTrue();
    assertThat(queue.poll()).isNull();
    queue.complete(held, 0);
    assertThat(ring.collect()).isNull();
    assertThat(queue.interruptNeeded()).isFalse();
    assertThat(queue.enableNotifications()).isFalse();
  }

  // Rings that break a rule.

  @Test
  void breaksOnAnAvailableIndexThatJumps() {
    ring.jumpTo(SIZE + 1);
    assertThat(queue.poll()).isNull();
    assertThat(queue.broken()).isTrue();
    ring.jumpTo(1);
    assertThat(queue.poll()).isNull();
    assertThat(ring.collect()).isNull();
  }

  @Test
  void breaksOnAnAvailableIndexThatGoesBack() {
    ring.add(readable(BUFFER, 4));
    queue.complete(poll(), 0);
    ring.jumpTo(0);
    assertThat(queue.poll()).isNull();
    assertThat(queue.broken()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {SIZE, 0x7fff, 0x8000, 0xffff})
  void breaksOnAHeadOutOfRange(int head) {
    ring.publish(head);
    assertThat(queue.poll()).isNull();
    assertThat(queue.broken()).isTrue();
  }

  @Test
  void breaksWhenMoreChainsAreOutstandingThanItHasDescriptors() {
    for (int i = 0; i < SIZE; i++) {
      ring.add(writable(BUFFER, 4));
      assertThat(queue.poll()).isNotNull();
    }
    assertThat(queue.poll()).isNull();
    assertThat(queue.broken()).isFalse();
    ring.publish(0);
    assertThat(queue.poll()).isNull();
    assertThat(queue.broken()).isTrue();
  }

  @Test
  void takesTheSameDescriptorInTwoChainsAtOnce() {
    ring.descriptor(0, BUFFER, 4, WRITE, 0);
    ring.publish(0);
    ring.publish(0);
    DescriptorChain a = poll();
    DescriptorChain b = poll();
    assertThat(a).isNotSameAs(b);
    queue.complete(a, 4);
    queue.complete(b, 4);
    assertThat(ring.collectable()).isEqualTo(2);
  }

  // Chains that break a rule.

  @Test
  void refusesADescriptorThatPointsToItself() {
    ring.descriptor(0, BUFFER, 4, NEXT, 0);
    ring.publish(0);
    assertBad(0);
  }

  @Test
  void refusesALoopOfAllDescriptors() {
    for (int i = 0; i < SIZE; i++) {
      ring.descriptor(i, BUFFER, 4, NEXT, (i + 1) % SIZE);
    }
    ring.publish(5);
    assertThat(queue.poll()).isNull();
    assertThat(queue.badChains()).isEqualTo(1);
    assertThat(ring.collect()).isEqualTo(new Used(5, 0));
  }

  @Test
  void takesAChainOfAllDescriptors() {
    Segment[] segments = new Segment[SIZE];
    for (int i = 0; i < SIZE; i++) {
      segments[i] = readable(BUFFER + i, 1);
    }
    ring.add(segments);
    assertThat(poll().readableLength()).isEqualTo(SIZE);
  }

  @ParameterizedTest
  @ValueSource(ints = {SIZE, 0x8000, 0xffff})
  void refusesASuccessorOutOfRange(int next) {
    ring.descriptor(0, BUFFER, 4, NEXT, next);
    ring.publish(0);
    assertBad(0);
  }

  @ParameterizedTest
  @CsvSource({
    "0xffffffffffffffff, 1",
    "0xffffffffffffffff, 2",
    "0xfffffffffffff000, 0x2000",
    "0xffffffff00000000, 0xffffffff",
    "0x7fffffffffffffff, 0xffffffff",
    "0x8000000000000000, 1",
    // from RAM into the hole, in the hole, and from the hole into RAM
    "0xffff0, 17",
    "0x100000, 1",
    "0x1fffff, 2",
    // behind all RAM
    "0x300000, 1",
    "0x2fffff, 2",
    "0, 0xffffffff",
  })
  void refusesABufferThatIsNotAllRam(String address, String length) {
    long at = Long.parseUnsignedLong(address.replace("0x", ""), address.startsWith("0x") ? 16 : 10);
    ring.add(readable(BUFFER, 4), writable(at, Long.decode(length)));
    assertBad(0);
  }

  @Test
  void takesABufferAcrossAdjacentRegions() {
    ring.add(readable(RAM / 2 - 4, 8));
    memory.storeLong(RAM / 2 - 4, 77);
    assertThat(poll().readLong()).isEqualTo(77);
  }

  @Test
  void refusesReadableBehindWritable() {
    ring.add(writable(BUFFER, 4), readable(BUFFER, 4));
    assertBad(0);
  }

  @Test
  void refusesReadableBehindAnEmptyWritable() {
    ring.add(writable(BUFFER, 0), readable(BUFFER, 4));
    assertBad(0);
  }

  @Test
  void refusesAnEmptyChain() {
    ring.add(readable(BUFFER, 0), writable(BUFFER, 0));
    assertBad(0);
  }

  @Test
  void refusesMoreThanFourGibibytes() {
    GuestMemory large = memory;
    // 2^32 bytes take 4096 buffers of 1 MiB: an indirect table allows only 1024, a ring more.
    GuestRing wide = new GuestRing(large, new GuestHeap(0x20000, RAM), 8192);
    Virtqueue tested =
        new Virtqueue(large, 0, 8192, wide.desc(), wide.avail(), wide.used(), false, false);
    Segment[] segments = new Segment[4097];
    Arrays.fill(segments, readable(0, RAM));
    wide.add(segments);
    assertThat(tested.poll()).isNull();
    assertThat(tested.badChains()).isEqualTo(1);
    wide.add(Arrays.copyOf(segments, 4095));
    DescriptorChain chain = tested.poll();
    assertThat(chain).isNotNull();
    assertThat(chain.readableLength()).isEqualTo(4095L * RAM);
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 0x10, 0x80, 0x8000, 0xfff8})
  void refusesUnknownFlags(int flags) {
    ring.descriptor(0, BUFFER, 4, flags, 1);
    ring.publish(0);
    assertBad(0);
  }

  @Test
  void countsEveryBadChainAndSkipsThemAll() {
    ring.descriptor(0, -1, 4, 0, 0);
    ring.descriptor(1, BUFFER, 4, 0, 0);
    for (int i = 0; i < 5; i++) {
      ring.publish(0);
    }
    ring.publish(1);
    assertThat(poll().head()).isEqualTo(1);
    assertThat(queue.badChains()).isEqualTo(5);
    assertThat(ring.collectable()).isEqualTo(5);
    assertThat(queue.interruptNeeded()).isTrue();
  }

  // Indirect tables.

  @Test
  void followsAnIndirectTable() {
    ring.addIndirect(TABLE, readable(BUFFER, 4), writable(BUFFER + 4, 6));
    DescriptorChain chain = poll();
    assertThat(chain.readableLength()).isEqualTo(4);
    assertThat(chain.writableLength()).isEqualTo(6);
  }

  @Test
  void followsAnIndirectTableThatIsLongerThanTheRing() {
    List<Segment> segments = new ArrayList<>();
    for (int i = 0; i < 1024; i++) {
      segments.add(readable(BUFFER + i, 1));
    }
    ring.addIndirect(TABLE, segments.toArray(new Segment[0]));
    assertThat(poll().readableLength()).isEqualTo(1024);
  }

  @Test
  void takesAnIndirectDescriptorBehindDirectOnes() {
    GuestRing.writeDescriptor(memory, TABLE, BUFFER + 8, 8, WRITE, 0);
    ring.descriptor(0, BUFFER, 4, NEXT, 1);
    ring.descriptor(1, BUFFER + 4, 4, NEXT, 2);
    ring.descriptor(2, TABLE, 16, INDIRECT, 0);
    ring.publish(0);
    DescriptorChain chain = poll();
    assertThat(chain.readableLength()).isEqualTo(8);
    assertThat(chain.writableLength()).isEqualTo(8);
  }

  @Test
  void ignoresTheWriteFlagOfAnIndirectDescriptor() {
    GuestRing.writeDescriptor(memory, TABLE, BUFFER, 8, 0, 0);
    ring.descriptor(0, TABLE, 16, INDIRECT | WRITE, 0);
    ring.publish(0);
    assertThat(poll().readableLength()).isEqualTo(8);
  }

  @Test
  void refusesReadableInATableBehindDirectWritable() {
    GuestRing.writeDescriptor(memory, TABLE, BUFFER, 8, 0, 0);
    ring.descriptor(0, BUFFER, 4, NEXT | WRITE, 1);
    ring.descriptor(1, TABLE, 16, INDIRECT, 0);
    ring.publish(0);
    assertBad(0);
  }

  @Test
  void refusesIndirectThatWasNotNegotiated() {
    Virtqueue tested = queue(false, false);
    ring.addIndirect(TABLE, readable(BUFFER, 4));
    assertBad(tested, 0);
  }

  @Test
  void refusesIndirectWithASuccessor() {
    GuestRing.writeDescriptor(memory, TABLE, BUFFER, 8, 0, 0);
    ring.descriptor(0, TABLE, 16, INDIRECT | NEXT, 1);
    ring.descriptor(1, BUFFER, 4, 0, 0);
    ring.publish(0);
    assertBad(0);
  }

  @Test
  void refusesIndirectInsideIndirect() {
    GuestRing.writeDescriptor(memory, TABLE, TABLE + 64, 16, INDIRECT, 0);
    GuestRing.writeDescriptor(memory, TABLE + 64, BUFFER, 8, 0, 0);
    ring.descriptor(0, TABLE, 16, INDIRECT, 0);
    ring.publish(0);
    assertBad(0);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 8, 15, 17, 24, 16 * 1025, 16 * 65536, 0xfffffff0L})
  void refusesATableOfAnIllegalLength(long length) {
    GuestRing.writeDescriptor(memory, TABLE, BUFFER, 8, 0, 0);
    ring.descriptor(0, TABLE, length, INDIRECT, 0);
    ring.publish(0);
    assertBad(0);
  }

  @ParameterizedTest
  @ValueSource(longs = {RAM - 16, RAM, -16, Long.MAX_VALUE, 3 * RAM - 16})
  void refusesATableThatIsNotAllRam(long address) {
    ring.descriptor(0, address, 32, INDIRECT, 0);
    ring.publish(0);
    assertBad(0);
  }

  @Test
  void refusesALoopInsideATable() {
    GuestRing.writeDescriptor(memory, TABLE, BUFFER, 8, NEXT, 1);
    GuestRing.writeDescriptor(memory, TABLE + 16, BUFFER, 8, NEXT, 0);
    ring.descriptor(0, TABLE, 32, INDIRECT, 0);
    ring.publish(0);
    assertBad(0);
  }

  @Test
  void refusesASuccessorBehindTheTable() {
    GuestRing.writeDescriptor(memory, TABLE, BUFFER, 8, NEXT, 1);
    GuestRing.writeDescriptor(memory, TABLE + 16, BUFFER, 8, 0, 0);
    ring.descriptor(0, TABLE, 16, INDIRECT, 0);
    ring.publish(0);
    assertBad(0);
  }

  // Notifications and interrupts.

  @Test
  void interruptsUnlessTheDriverSaysNo() {
    ring.add(writable(BUFFER, 4));
    queue.complete(poll(), 4);
    assertThat(queue.interruptNeeded()).isTrue();
    assertThat(queue.interruptNeeded()).as("already told").isFalse();
    ring.availableFlags(1);
    ring.add(writable(BUFFER, 4));
    queue.complete(poll(), 4);
    assertThat(queue.interruptNeeded()).isFalse();
  }

  @Test
  void interruptsWhenTheUsedEventIsPassed() {
    Virtqueue tested = queue(true, false);
    ring.wantInterruptAfter(3);
    List<Boolean> interrupts = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ring.add(writable(BUFFER, 4));
      DescriptorChain chain = tested.poll();
      assertThat(chain).isNotNull();
      tested.complete(chain, 4);
      interrupts.add(tested.interruptNeeded());
    }
    assertThat(interrupts).containsExactly(false, false, true, false, false);
  }

  @Test
  void interruptsOnceForABatchThatPassesTheUsedEvent() {
    Virtqueue tested = queue(true, false);
    ring.startAt(0);
    ring.wantInterruptAfter(2);
    for (int i = 0; i < 4; i++) {
      ring.add(writable(BUFFER, 4));
      DescriptorChain chain = tested.poll();
      assertThat(chain).isNotNull();
      tested.complete(chain, 4);
    }
    assertThat(tested.interruptNeeded()).isTrue();
    assertThat(tested.interruptNeeded()).isFalse();
  }

  @Test
  void asksForNotificationsByFlagAndTellsOfChainsThatAreThere() {
    queue.disableNotifications();
    assertThat(ring.needsKick(false)).isFalse();
    assertThat(queue.enableNotifications()).isFalse();
    assertThat(ring.needsKick(false)).isTrue();
    ring.add(readable(BUFFER, 4));
    assertThat(queue.enableNotifications()).isTrue();
  }

  @Test
  void asksForNotificationsByEventIndex() {
    Virtqueue tested = queue(true, false);
    ring.add(readable(BUFFER, 4));
    assertThat(ring.needsKick(true)).isTrue();
    DescriptorChain chain = tested.poll();
    assertThat(chain).isNotNull();
    tested.complete(chain, 0);
    ring.add(readable(BUFFER, 4));
    assertThat(ring.needsKick(true)).as("not armed").isFalse();
    assertThat(tested.enableNotifications()).isTrue();
    chain = tested.poll();
    assertThat(chain).isNotNull();
    tested.complete(chain, 0);
    assertThat(tested.enableNotifications()).isFalse();
    assertThat(ring.availEvent()).isEqualTo(2);
    ring.add(readable(BUFFER, 4));
    assertThat(ring.needsKick(true)).isTrue();
  }

  // Geometry.

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 3, 12, 65536, Integer.MIN_VALUE})
  void refusesAnIllegalSize(int size) {
    assertThatThrownBy(() -> new Virtqueue(memory, 0, size, 0x1000, 0x2000, 0x3000, false, false))
        .isInstanceOf(VirtqueueException.class)
        .hasMessageContaining("size");
  }

  @ParameterizedTest
  @CsvSource({
    // not aligned
    "0x1008, 0x2000, 0x3000",
    "0x1000, 0x2001, 0x3000",
    "0x1000, 0x2000, 0x3002",
    // not all RAM
    "0xfffc0, 0x2000, 0x3000",
    "0x1000, 0xffff0, 0x3000",
    "0x1000, 0x2000, 0xfffe0",
    "-0x10, 0x2000, 0x3000",
    "0x1000, -0x10, 0x3000",
    "0x1000, 0x2000, 0x7ffffffffffffff0",
    // overlapping
    "0x1000, 0x1000, 0x3000",
    "0x1000, 0x107e, 0x3000",
    "0x1000, 0x2000, 0x2000",
    "0x1000, 0x2000, 0x107c",
    "0x1010, 0x2000, 0x1000",
  })
  void refusesAnIllegalPlace(String desc, String avail, String used) {
    assertThatThrownBy(
            () ->
                new Virtqueue(
                    memory,
                    0,
                    SIZE,
                    Long.decode(desc),
                    Long.decode(avail),
                    Long.decode(used),
                    true,
                    false))
        .isInstanceOf(VirtqueueException.class);
  }

  @Test
  void tellsWhetherQueuesShareMemory() {
    Virtqueue a = new Virtqueue(memory, 0, SIZE, 0x10000, 0x11000, 0x12000, false, false);
    Virtqueue b = new Virtqueue(memory, 1, SIZE, 0x10080, 0x11080, 0x12080, false, false);
    Virtqueue c = new Virtqueue(memory, 2, SIZE, 0x13000, 0x14000, 0x12004, false, false);
    assertThat(a.overlaps(b)).isFalse();
    assertThat(a.overlaps(c)).isTrue();
    assertThat(c.overlaps(a)).isTrue();
    assertThat(b.overlaps(c)).isFalse();
  }
}
