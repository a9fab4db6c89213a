package io.github.avf4j.virtio.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.virtio.testing.SharedPages;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuardedMemoryTest {
  private static final int PAGE = SharedPages.PAGE;

  private final SharedPages pages = new SharedPages(64 * PAGE).share(PAGE, 2 * PAGE);
  private final GuestMemory memory = pages.memory();

  @Test
  void accessesWhatIsShared() {
    memory.storeLong(PAGE, 0x0807060504030201L);
    memory.storeInt(PAGE + 8, 0x11121314);
    memory.storeShort(PAGE + 12, (short) 0xfedc);
    memory.storeByte(PAGE + 14, (byte) 0x80);
    assertThat(memory.loadLong(PAGE)).isEqualTo(0x0807060504030201L);
    assertThat(memory.loadInt(PAGE + 8)).isEqualTo(0x11121314);
    assertThat(memory.loadShort(PAGE + 12)).isEqualTo((short) 0xfedc);
    assertThat(memory.loadByte(PAGE + 14)).isEqualTo((byte) 0x80);
    memory.storeShortRelease(PAGE + 16, (short) 0xbeef);
    assertThat(memory.loadShortAcquire(PAGE + 16)).isEqualTo((short) 0xbeef);
    assertThatThrownBy(() -> memory.loadShortAcquire(PAGE + 17))
        .isInstanceOf(GuestMemoryException.class)
        .hasMessageContaining("aligned");
    byte[] bytes = new byte[2 * PAGE];
    bytes[0] = 1;
    bytes[bytes.length - 1] = 2;
    memory.write(PAGE, bytes, 0, bytes.length);
    byte[] back = new byte[2 * PAGE];
    memory.read(PAGE, back, 0, back.length);
    assertThat(back).isEqualTo(bytes);
  }

  @Test
  void refusesWhatIsNotShared() {
    for (long address : new long[] {0, PAGE - 1, 3 * PAGE - 1}) {
      assertThatThrownBy(() -> memory.loadShort(address))
          .isInstanceOf(GuestMemoryException.class)
          .hasMessageContaining("not shared");
      assertThatThrownBy(() -> memory.storeLong(address, 0))
          .isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.read(address, ByteBuffer.allocate(2)))
          .isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.write(address, ByteBuffer.allocate(2)))
          .isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.lendToRead(address, 2, bytes -> {}))
          .isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.lendToFill(address, 2, ByteBuffer::getShort))
          .isInstanceOf(GuestMemoryException.class);
    }
    assertThat(memory.contains(0, 64 * PAGE)).as("it is RAM nevertheless").isTrue();
  }

  @Test
  void refusesWhatIsNoRam() {
    assertThatThrownBy(() -> memory.loadInt(64 * PAGE - 2))
        .isInstanceOf(GuestMemoryException.class)
        .hasMessageContaining("RAM");
    assertThatThrownBy(() -> memory.lendToRead(64 * PAGE, 1, bytes -> {}))
        .isInstanceOf(GuestMemoryException.class)
        .hasMessageContaining("RAM");
    assertThatThrownBy(() -> memory.read(-1, ByteBuffer.allocate(2)))
        .isInstanceOf(GuestMemoryException.class);
  }

  @Test
  void noticesThatAPageIsTakenBack() {
    memory.storeInt(PAGE, 1);
    pages.unshare(PAGE, PAGE);
    assertThatThrownBy(() -> memory.loadInt(PAGE)).isInstanceOf(GuestMemoryException.class);
    assertThat(memory.loadInt(2 * PAGE)).isZero();
  }

  @Test
  void lendsCopies() throws IOException {
    assertThat(memory.lendToFill(PAGE, 2 * PAGE, GuardedMemoryTest::fill)).isEqualTo(2 * PAGE);
    assertThat(memory.loadInt(3 * PAGE - 4)).isEqualTo(3 * PAGE - 4 - PAGE);
    assertThat(memory.lendToRead(2 * PAGE, 8, bytes -> assertThat(bytes.getInt()).isEqualTo(PAGE)))
        .isEqualTo(8);
    pages.shareAll();
    assertThat(memory.lendToRead(0, 1 << 20, bytes -> {})).isEqualTo(GuardedMemory.BOUNCE_SIZE);
    assertThat(memory.lendToRead(60 * PAGE, 1 << 20, bytes -> {})).isEqualTo(4 * PAGE);
  }

  private static void fill(ByteBuffer room) throws IOException {
    while (room.hasRemaining()) {
      room.putInt(room.position());
    }
  }

  @Test
  void crossesFromOneRangeToTheNext() {
    GuestMemory two =
        GuestMemory.guarded(
            List.of(new GuestRange(PAGE, PAGE), new GuestRange(0, PAGE)), pages.shareAll());
    two.storeLong(PAGE - 3, 0x1122334455667788L);
    assertThat(two.loadLong(PAGE - 3)).isEqualTo(0x1122334455667788L);
    assertThat(two.lendToRead(PAGE - 3, 8, bytes -> {})).isEqualTo(3);
    byte[] bytes = new byte[8];
    two.read(PAGE - 3, bytes, 0, 8);
    assertThat(bytes).startsWith(0x88, 0x77).endsWith(0x22, 0x11);
    two.write(PAGE - 4, bytes, 0, 8);
    assertThat(two.loadLong(PAGE - 4)).isEqualTo(0x1122334455667788L);
    assertThatThrownBy(() -> two.loadInt(2 * PAGE - 2)).isInstanceOf(GuestMemoryException.class);
  }
}
