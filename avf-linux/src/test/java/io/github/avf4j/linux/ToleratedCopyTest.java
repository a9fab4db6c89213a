package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ToleratedCopyTest {
  private static final int SIZE = 256 << 10;

  private final MemoryMapping memory = MemoryMapping.anonymous(SIZE);
  private final ByteBuffer bytes = memory.chunks().get(0);
  private final ToleratedCopy copy = new ToleratedCopy();

  @AfterEach
  void close() {
    copy.close();
    memory.close();
  }

  @Test
  void loadsAndStoresEveryWidthAtEveryAddress() throws Exception {
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      int width = 1 << random.nextInt(4);
      int at = random.nextInt(SIZE - 8);
      long value = random.nextLong();
      bytes.putLong(at, 0x1122334455667788L);
      copy.store(memory.address() + at, width, value);
      long expected = width == 8 ? value : value & (1L << 8 * width) - 1;
      assertThat(copy.load(memory.address() + at, width)).isEqualTo(expected);
      if (width < 8) {
        assertThat(bytes.get(at + width)).isEqualTo((byte) (0x1122334455667788L >>> 8 * width));
      }
    }
  }

  @Test
  void copiesMoreThanAStageAtOnce() throws Exception {
    byte[] random = new byte[SIZE - 3];
    new Random(2).nextBytes(random);
    copy.write(memory.address() + 1, ByteBuffer.wrap(random));
    byte[] seen = new byte[random.length];
    bytes.get(1, seen);
    assertThat(seen).isEqualTo(random);
    ByteBuffer back = ByteBuffer.allocateDirect(random.length);
    copy.read(memory.address() + 1, back);
    assertThat(back.hasRemaining()).isFalse();
    assertThat(back.flip()).isEqualTo(ByteBuffer.wrap(random));
  }

  @Test
  void memoryThatCannotBeReachedIsAnException() throws Exception {
    long page = MemoryMapping.PAGE_SIZE;
    LibC.mprotect(memory.address() + page, page, 0);
    long bad = memory.address() + page;
    bytes.put((int) page - 1, (byte) 7);
    assertThatThrownBy(() -> copy.load(bad, 4))
        .isInstanceOf(UnreachableMemoryException.class)
        .hasMessage("the page at 0x" + Long.toHexString(bad) + " cannot be reached");
    assertThatThrownBy(() -> copy.store(bad, 4, 0)).isInstanceOf(UnreachableMemoryException.class);
    assertThatThrownBy(() -> copy.load(bad - 2, 4)).isInstanceOf(UnreachableMemoryException.class);
    assertThatThrownBy(() -> copy.read(bad - 1, ByteBuffer.allocate(8192)))
        .isInstanceOf(UnreachableMemoryException.class);
    assertThatThrownBy(() -> copy.write(bad - page, ByteBuffer.allocate(8192)))
        .isInstanceOf(UnreachableMemoryException.class);
    assertThat(copy.load(bad + page, 8)).isZero();
  }

  @Test
  void manyThreadsCopyAtOnceAndNothingIsLeft() throws Exception {
    long before = descriptors();
    int threads = 24;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    List<Future<Void>> results = new ArrayList<>();
    try {
      for (int t = 0; t < threads; t++) {
        int mine = t * 8192;
        byte value = (byte) t;
        Callable<Void> task =
            () -> {
              byte[] all = new byte[8192];
              java.util.Arrays.fill(all, value);
              for (int i = 0; i < 300; i++) {
                copy.write(memory.address() + mine, ByteBuffer.wrap(all));
                ByteBuffer back = ByteBuffer.allocate(8192);
                copy.read(memory.address() + mine, back);
                assertThat(back.array()).isEqualTo(all);
                copy.store(memory.address() + mine, 2, value);
                assertThat(copy.load(memory.address() + mine, 2)).isEqualTo(value);
              }
              return null;
            };
        results.add(pool.submit(task));
      }
      for (Future<Void> result : results) {
        result.get(60, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
    }
    copy.close();
    assertThat(descriptors()).isEqualTo(before);
  }

  private static long descriptors() throws Exception {
    try (var fds = Files.list(Path.of("/proc/self/fd"))) {
      return fds.count();
    }
  }
}
