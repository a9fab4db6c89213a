package io.github.avf4j.virtio.blk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.virtio.testing.ScriptedDriver;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.Used;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BlkDeviceTest {
  private static final int IN = 0;
  private static final int OUT = 1;
  private static final int FLUSH = 4;
  private static final int GET_ID = 8;
  private static final int DISCARD = 11;
  private static final int WRITE_ZEROES = 13;
  private static final int OK = 0;
  private static final int IOERR = 1;
  private static final int UNSUPP = 2;
  private static final int SECTORS = 64;

  private final MemoryBackend backend = new MemoryBackend(SECTORS, true);
  private final List<ScriptedDriver> drivers = new ArrayList<>();

  @AfterEach
  void close() {
    drivers.forEach(ScriptedDriver::close);
  }

  private ScriptedDriver driver(boolean readOnly) {
    return driver(
        new BlkDevice(BlkConfig.builder().readOnly(readOnly).serial("disk-7").build(), backend));
  }

  private ScriptedDriver driver(BlkDevice device) {
    ScriptedDriver driver = new ScriptedDriver(device);
    drivers.add(driver);
    return driver;
  }

  private static byte[] header(int type, long sector) {
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(type)
        .putInt(0)
        .putLong(sector)
        .array();
  }

  private static byte[] range(long sector, int sectors, int flags) {
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(sector)
        .putInt(sectors)
        .putInt(flags)
        .array();
  }

  /** Sends header, data and room for a status; returns the status, which must have been written. */
  private static int request(ScriptedDriver driver, int type, long sector, Segment... data) {
    Segment status = driver.writable(1);
    driver.memory().storeByte(status.address(), (byte) 0x77);
    Segment[] all = new Segment[data.length + 2];
    all[0] = driver.readable(header(type, sector));
    System.arraycopy(data, 0, all, 1, data.length);
    all[data.length + 1] = status;
    driver.exchange(0, all);
    return driver.bytes(status)[0];
  }

  @Test
  void readsSectors() {
    ScriptedDriver driver = driver(false).start();
    Segment a = driver.writable(100);
    Segment b = driver.writable(924);
    assertThat(request(driver, IN, 3, a, b)).isEqualTo(OK);
    assertThat(driver.bytes(a)).isEqualTo(Arrays.copyOfRange(backend.bytes, 1536, 1636));
    assertThat(driver.bytes(b)).isEqualTo(Arrays.copyOfRange(backend.bytes, 1636, 2560));
  }

  @Test
  void writesSectors() {
    ScriptedDriver driver = driver(false).start();
    byte[] data = new byte[1024];
    Arrays.fill(data, (byte) 5);
    assertThat(request(driver, OUT, SECTORS - 2, driver.readable(data))).isEqualTo(OK);
    assertThat(Arrays.copyOfRange(backend.bytes, 62 * 512, 64 * 512)).isEqualTo(data);
    assertThat(backend.events).isEmpty();
  }

  @Test
  void flushesEveryWriteOfADriverThatCannotFlush() {
    ScriptedDriver driver = driver(false).start(0, 16);
    assertThat(request(driver, OUT, 0, driver.readable(new byte[512]))).isEqualTo(OK);
    assertThat(backend.events).containsExactly("flush");
    assertThat(request(driver, FLUSH, 0)).isEqualTo(UNSUPP);
  }

  @Test
  void flushes() {
    ScriptedDriver driver = driver(false).start();
    assertThat(request(driver, FLUSH, 0)).isEqualTo(OK);
    assertThat(backend.events).containsExactly("flush");
  }

  @Test
  void tellsItsId() {
    ScriptedDriver driver = driver(true).start();
    Segment id = driver.writable(20);
    assertThat(request(driver, GET_ID, 0, id)).isEqualTo(OK);
    assertThat(driver.bytes(id))
        .isEqualTo(Arrays.copyOf("disk-7".getBytes(StandardCharsets.US_ASCII), 20));
    assertThat(request(driver, GET_ID, 0, driver.writable(19))).isEqualTo(IOERR);
  }

  @Test
  void countsDataAndStatusAsWritten() {
    ScriptedDriver driver = driver(false).start();
    Used used = driver.exchange(0, driver.readable(header(IN, 0)), driver.writable(512 + 1));
    assertThat(used.length()).isEqualTo(513);
    used = driver.exchange(0, driver.readable(header(IN, 64)), driver.writable(512 + 1));
    assertThat(used.length()).isEqualTo(1);
  }

  @Test
  void takesHeaderAndDataInOneDescriptorOrInMany() {
    ScriptedDriver driver = driver(false).start();
    byte[] bytes = Arrays.copyOf(header(OUT, 1), 16 + 512);
    bytes[16] = 99;
    Segment status = driver.writable(1);
    driver.exchange(0, driver.readable(bytes), status);
    assertThat(driver.bytes(status)[0]).isEqualTo((byte) OK);
    assertThat(backend.bytes[512]).isEqualTo((byte) 99);

    Segment[] pieces = new Segment[18];
    byte[] header = header(IN, 1);
    for (int i = 0; i < 16; i++) {
      pieces[i] = driver.readable(new byte[] {header[i]});
    }
    pieces[16] = driver.writable(511);
    pieces[17] = driver.writable(2);
    driver.exchange(0, pieces);
    assertThat(driver.bytes(pieces[16])[0]).isEqualTo((byte) 99);
    assertThat(driver.bytes(pieces[17])[1]).isEqualTo((byte) OK);
  }

  @Test
  void takesRequestsThroughIndirectTables() {
    ScriptedDriver driver = driver(false).start();
    Segment data = driver.writable(512);
    Segment status = driver.writable(1);
    driver
        .ring(0)
        .addIndirect(driver.heap().allocate(48, 16), driver.readable(header(IN, 2)), data, status);
    driver.kick(0);
    assertThat(driver.ring(0).collect()).isEqualTo(new Used(0, 513));
    assertThat(driver.bytes(data)).isEqualTo(Arrays.copyOfRange(backend.bytes, 1024, 1536));
  }

  @ParameterizedTest
  @CsvSource({
    "64, 512",
    "63, 1024",
    "0, 33280",
    "-1, 512",
    "-1, 0",
    "65, 0",
    "0x7fffffffffffffff, 512",
    "0x0080000000000000, 512", // times 512 is 2^64
    "0x007fffffffffffff, 512",
    "0, 511",
    "0, 1",
    "0, 513",
  })
  void refusesSectorsOutsideTheDisk(String sector, int length) {
    ScriptedDriver driver = driver(false).start();
    byte[] before = backend.bytes.clone();
    assertThat(request(driver, IN, Long.decode(sector), driver.writable(length))).isEqualTo(IOERR);
    assertThat(request(driver, OUT, Long.decode(sector), driver.readable(new byte[length])))
        .isEqualTo(IOERR);
    assertThat(backend.bytes).isEqualTo(before);
  }

  @Test
  void refusesToWriteAReadOnlyDisk() {
    ScriptedDriver driver = driver(true).start();
    byte[] before = backend.bytes.clone();
    assertThat(driver.has(BlkFeatures.READ_ONLY)).isTrue();
    assertThat(request(driver, OUT, 0, driver.readable(new byte[512]))).isEqualTo(IOERR);
    assertThat(request(driver, DISCARD, 0, driver.readable(range(0, 1, 0)))).isEqualTo(UNSUPP);
    assertThat(request(driver, WRITE_ZEROES, 0, driver.readable(range(0, 1, 0)))).isEqualTo(UNSUPP);
    assertThat(request(driver, FLUSH, 0)).isEqualTo(OK);
    assertThat(backend.bytes).isEqualTo(before);
    assertThat(backend.events).isEmpty();
  }

  @Test
  void refusesDataOfTheWrongDirection() {
    ScriptedDriver driver = driver(false).start();
    assertThat(request(driver, IN, 0, driver.readable(new byte[512]))).isEqualTo(IOERR);
    assertThat(request(driver, OUT, 0, driver.writable(512))).isEqualTo(IOERR);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 7, 9, 10, 12, 14, 0x100, 0x80000000, 0x10001, -1})
  void doesNotKnowOtherTypes(int type) {
    ScriptedDriver driver = driver(false).start();
    assertThat(request(driver, type, 0, driver.writable(512))).isEqualTo(UNSUPP);
  }

  @Test
  void refusesAShortHeader() {
    ScriptedDriver driver = driver(false).start();
    Segment status = driver.writable(1);
    driver.exchange(0, driver.readable(new byte[15]), status);
    assertThat(driver.bytes(status)[0]).isEqualTo((byte) IOERR);
    driver.exchange(0, status);
    assertThat(driver.bytes(status)[0]).isEqualTo((byte) IOERR);
  }

  @Test
  void givesBackARequestWithoutRoomForTheStatus() {
    ScriptedDriver driver = driver(false).start();
    assertThat(driver.exchange(0, driver.readable(header(FLUSH, 0))).length()).isZero();
    assertThat(backend.events).isEmpty();
  }

  @Test
  void reportsFailuresOfTheHost() {
    ScriptedDriver driver = driver(false).start();
    backend.failure = new IOException("on purpose");
    assertThat(request(driver, IN, 0, driver.writable(512))).isEqualTo(IOERR);
    assertThat(request(driver, OUT, 0, driver.readable(new byte[512]))).isEqualTo(IOERR);
    assertThat(request(driver, FLUSH, 0)).isEqualTo(IOERR);
    backend.failure = null;
    assertThat(request(driver, FLUSH, 0)).isEqualTo(OK);
  }

  @Test
  void discardsAndZeroesRanges() {
    ScriptedDriver driver = driver(false).start();
    assertThat(
            request(
                driver,
                DISCARD,
                0,
                driver.readable(range(1, 2, 0)),
                driver.readable(range(5, 1, 0))))
        .isEqualTo(OK);
    assertThat(backend.events).containsExactly("discard 512 1024", "discard 2560 512");
    assertThat(request(driver, WRITE_ZEROES, 0, driver.readable(range(63, 1, 1)))).isEqualTo(OK);
    assertThat(Arrays.copyOfRange(backend.bytes, 63 * 512, 64 * 512)).containsOnly(0);
    assertThat(backend.bytes[63 * 512 - 1]).isNotZero();
  }

  @ParameterizedTest
  @CsvSource({
    "64, 1, 0, 1",
    "0, 65, 0, 1",
    "-1, 1, 0, 1",
    "0, -1, 0, 1",
    "0x7fffffffffffffff, 1, 0, 1",
    "0, 1, 2, 2",
    "0, 1, -1, 2",
  })
  void refusesIllegalRanges(String sector, int sectors, int flags, int status) {
    ScriptedDriver driver = driver(false).start();
    byte[] before = backend.bytes.clone();
    byte[] range = range(Long.decode(sector), sectors, flags);
    assertThat(request(driver, DISCARD, 0, driver.readable(range))).isEqualTo(status);
    assertThat(request(driver, WRITE_ZEROES, 0, driver.readable(range))).isEqualTo(status);
    assertThat(backend.bytes).isEqualTo(before);
    assertThat(backend.events).isEmpty();
  }

  @Test
  void refusesTooManyRangesAndHalfOnes() {
    ScriptedDriver driver = driver(false).start();
    for (int length : new int[] {0, 15, 17, 17 * 16}) {
      assertThat(request(driver, DISCARD, 0, driver.readable(new byte[length]))).isEqualTo(IOERR);
    }
    assertThat(request(driver, DISCARD, 0, driver.readable(range(0, 1, 1)))).isEqualTo(UNSUPP);
  }

  @Test
  void describesTheDiskInConfigurationSpace() {
    ScriptedDriver driver = driver(false);
    assertThat(driver.read(0x100)).isEqualTo(SECTORS);
    assertThat(driver.read(0x104)).isZero();
    assertThat(driver.read(0x10c)).isEqualTo(254);
    assertThat(driver.read(0x114)).isEqualTo(512);
    assertThat(driver.transport().read(0x100 + 34, 2)).isEqualTo(1);
    assertThat(driver.read(0x100 + 36)).isEqualTo(1 << 21);
    assertThat(driver.read(0x100 + 58)).isZero();
    assertThat(driver.offered() & 0xffffff).isEqualTo(1 << 2 | 1 << 6 | 1 << 9 | 1 << 13 | 1 << 14);
    assertThat(driver(true).offered() & 0xffffff).isEqualTo(1 << 2 | 1 << 5 | 1 << 6 | 1 << 9);
  }

  @Test
  void usesARawImageFile(@TempDir Path folder) throws Exception {
    Path image = folder.resolve("disk.img");
    Files.write(image, new byte[8 * 512]);
    ScriptedDriver driver =
        driver(BlkDevice.of(new DiskSpec(image, false, ""), FileBackend.open(image, false)))
            .start();
    byte[] data = new byte[2048];
    Arrays.fill(data, (byte) 3);
    assertThat(driver.offered() & BlkFeatures.DISCARD).isZero();
    assertThat(request(driver, OUT, 4, driver.readable(data))).isEqualTo(OK);
    assertThat(request(driver, FLUSH, 0)).isEqualTo(OK);
    Segment back = driver.writable(2048);
    assertThat(request(driver, IN, 4, back)).isEqualTo(OK);
    assertThat(driver.bytes(back)).isEqualTo(data);
    assertThat(request(driver, WRITE_ZEROES, 0, driver.readable(range(5, 1, 0)))).isEqualTo(OK);
    byte[] file = Files.readAllBytes(image);
    assertThat(file).hasSize(8 * 512);
    assertThat(file[4 * 512]).isEqualTo((byte) 3);
    assertThat(file[5 * 512]).isZero();
    Files.write(image, new byte[512]);
    assertThat(request(driver, IN, 4, back)).as("the file was cut").isEqualTo(IOERR);
  }

  @Test
  void refusesImagesThatAreNoDisks(@TempDir Path folder) throws Exception {
    Path odd = Files.write(folder.resolve("odd"), new byte[513]);
    Path empty = Files.write(folder.resolve("empty"), new byte[0]);
    for (Path image : List.of(odd, empty, folder, folder.resolve("missing"))) {
      assertThatThrownBy(() -> FileBackend.open(image, true))
          .isInstanceOf(InvalidImageException.class)
          .hasMessageContaining(image.toString());
    }
  }

  @Test
  void refusesAConfigurationThatDoesNotFit() {
    assertThatThrownBy(() -> BlkConfig.builder().readOnly(true).serial("x".repeat(21)).build())
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> BlkConfig.builder().readOnly(true).blockSize(513).build())
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> BlkConfig.builder().readOnly(true).queueSize(3).build())
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closesItsBackend() {
    driver(false).close();
    assertThat(backend.events).containsExactly("close");
  }
}
