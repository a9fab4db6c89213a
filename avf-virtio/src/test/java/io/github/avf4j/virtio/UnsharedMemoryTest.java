package io.github.avf4j.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.Cid;
import io.github.avf4j.VsockConnectException;
import io.github.avf4j.virtio.blk.BlkConfig;
import io.github.avf4j.virtio.blk.BlkDevice;
import io.github.avf4j.virtio.blk.FileBackend;
import io.github.avf4j.virtio.console.ConsoleConfig;
import io.github.avf4j.virtio.console.ConsoleDevice;
import io.github.avf4j.virtio.rng.RngConfig;
import io.github.avf4j.virtio.rng.RngDevice;
import io.github.avf4j.virtio.testing.EchoDevice;
import io.github.avf4j.virtio.testing.ScriptedDriver;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.SharedPages;
import io.github.avf4j.virtio.vsock.VsockConfig;
import io.github.avf4j.virtio.vsock.VsockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Devices of a guest that does not share what they have to touch, or takes it back. */
class UnsharedMemoryTest {
  private static final int SIZE = 16 << 20;
  private static final int NEEDS_RESET = 0x40;

  private final SharedPages pages = new SharedPages(SIZE).shareAll();

  private ScriptedDriver start(VirtioDevice device) {
    return new ScriptedDriver(device, pages.memory()).start();
  }

  private static boolean needsReset(ScriptedDriver driver) {
    return (driver.read(0x70) & NEEDS_RESET) != 0;
  }

  @Test
  void devicesServeWhatIsShared() {
    ScriptedDriver driver = start(new EchoDevice());
    driver.memory().storeInt(0x8000, 0x04030201);
    driver.exchange(0, new Segment(0x8000, 4, false), new Segment(0x9000, 4, true));
    assertThat(driver.memory().loadInt(0x9000)).isEqualTo(0x04030201);
    assertThat(needsReset(driver)).isFalse();
  }

  @Test
  void aRingThatIsNotSharedFailsItsDeviceOnly() {
    ScriptedDriver driver = start(new EchoDevice());
    pages.unshare(driver.ring(0).avail(), 1);
    driver.write(0x50, 0);
    assertThat(needsReset(driver)).isTrue();
    pages.shareAll();
    driver.start();
    driver.exchange(0, new Segment(0x8000, 4, false), new Segment(0x9000, 4, true));
    assertThat(needsReset(driver)).as("after a reset").isFalse();
  }

  @Test
  void aPrivateBufferFailsItsDeviceOnly() {
    for (boolean writable : new boolean[] {false, true}) {
      ScriptedDriver driver = start(new EchoDevice());
      pages.unshare(writable ? 0x9000 : 0x8000, SharedPages.PAGE);
      driver.ring(0).add(new Segment(0x8000, 4, false), new Segment(0x9000, 4, true));
      driver.write(0x50, 0);
      assertThat(needsReset(driver)).isTrue();
      pages.shareAll();
    }
  }

  @Test
  void entropyForAPrivateBufferFailsItsDeviceOnly() {
    ScriptedDriver driver = start(new RngDevice(RngConfig.builder().build()));
    pages.unshare(0x9000, SharedPages.PAGE);
    driver.ring(0).add(new Segment(0x8ff0, 32, true));
    driver.write(0x50, 0);
    assertThat(needsReset(driver)).isTrue();
  }

  @Test
  void aDiskReadsAndWritesSharedMemoryOnly(@TempDir Path folder) throws IOException {
    Path image = Files.write(folder.resolve("disk"), new byte[8192]);
    ScriptedDriver driver =
        start(
            new BlkDevice(
                BlkConfig.builder().readOnly(false).build(), FileBackend.open(image, false)));
    driver.memory().storeInt(0x8000, 1); // OUT, sector 0
    driver.memory().storeInt(0x9000, 77);
    Segment header = new Segment(0x8000, 16, false);
    Segment status = new Segment(0x8100, 1, true);
    driver.exchange(0, header, new Segment(0x9000, 512, false), status);
    assertThat(ByteBuffer.wrap(Files.readAllBytes(image)).get(0)).isEqualTo((byte) 77);
    driver.memory().storeInt(0x8000, 0); // IN
    driver.exchange(0, header, new Segment(0xa000, 512, true), status);
    assertThat(driver.memory().loadInt(0xa000)).isEqualTo(77);
    pages.unshare(0xa000, SharedPages.PAGE);
    driver.ring(0).add(header, new Segment(0xa000, 512, true), status);
    driver.write(0x50, 0);
    assertThat(needsReset(driver)).isTrue();
  }

  @Test
  void inputForAPrivateBufferWaitsForTheNextDriver() throws IOException {
    ConsoleDevice console = new ConsoleDevice(ConsoleConfig.builder().build());
    ScriptedDriver driver = start(console);
    pages.unshare(0x9000, SharedPages.PAGE);
    driver.ring(0).add(new Segment(0x9000, 16, true));
    console.input().write('a');
    driver.write(0x50, 0);
    assertThat(needsReset(driver)).isTrue();
    pages.shareAll();
    driver.start();
    driver.ring(0).add(new Segment(0x9000, 16, true));
    driver.write(0x50, 0);
    assertThat(driver.memory().loadByte(0x9000)).isEqualTo((byte) 'a');
  }

  @Test
  void packetsInPrivateBuffersFailTheirDeviceOnly() {
    try (VsockDevice vsock = new VsockDevice(VsockConfig.builder().cid(new Cid(42)).build())) {
      for (int queue = 0; queue < 2; queue++) {
        ScriptedDriver driver = start(vsock);
        pages.unshare(0x9000, SharedPages.PAGE);
        driver.ring(queue).add(new Segment(0x9000, 4096, queue == 0));
        assertThatThrownBy(() -> vsock.host().connect(5000, Duration.ofMillis(100)))
            .isInstanceOf(VsockConnectException.class);
        driver.write(0x50, queue);
        assertThat(needsReset(driver)).as("queue " + queue).isTrue();
        pages.shareAll();
      }
    }
  }
}
