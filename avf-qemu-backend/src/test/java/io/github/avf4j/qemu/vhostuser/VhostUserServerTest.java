package io.github.avf4j.qemu.vhostuser;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.linux.EventFd;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.MemFd;
import io.github.avf4j.virtio.TransportFeatures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VhostUserServerTest {
  private static final long FEATURES = TransportFeatures.VERSION_1;
  private static final long DESC = FrontEnd.BASE;
  private static final long AVAIL = FrontEnd.BASE + 0x1000;
  private static final long USED = FrontEnd.BASE + 0x2000;
  private static final long NEXT_QUEUE = 0x4000;
  private static final long BUFFER = FrontEnd.BASE + 0x10000;

  private final EchoDevice device = new EchoDevice();

  @TempDir Path folder;
  private VhostUserServer server;
  private FrontEnd frontEnd;

  @BeforeEach
  void connect() throws IOException {
    warmUp();
    server =
        VhostUserServer.listen(folder.resolve("s"), device, 2, FrontEnd.SIZE, "avf-test-vhost");
    frontEnd = new FrontEnd(folder.resolve("s"));
  }

  /** Loads the native library and the JDK's channels, which open descriptors of their own. */
  private static void warmUp() throws IOException {
    EventFd.create().close();
    Files.readAllLines(Path.of("/proc/self/fdinfo/0"));
  }

  @AfterEach
  void close() {
    server.close();
    frontEnd.close();
  }

  private static void take(Semaphore semaphore) throws InterruptedException {
    assertThat(semaphore.tryAcquire(FrontEnd.LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }

  private EventFd[] start(int size) throws InterruptedException {
    frontEnd.negotiate(FEATURES);
    EventFd[] fds = new EventFd[4];
    for (int i = 0; i < 2; i++) {
      long at = i * NEXT_QUEUE;
      fds[2 * i] = frontEnd.eventFd();
      fds[2 * i + 1] = frontEnd.eventFd();
      frontEnd.setUp(i, size, DESC + at, AVAIL + at, USED + at, fds[2 * i], fds[2 * i + 1]);
    }
    take(device.activations);
    return fds;
  }

  /** Makes a chain of one byte to read and one to write available in queue 1. */
  private void addChain(int slot, int value) {
    long desc = DESC + NEXT_QUEUE;
    frontEnd.memory.storeByte(BUFFER, (byte) value);
    frontEnd.memory.storeLong(desc, BUFFER);
    frontEnd.memory.storeInt(desc + 8, 1);
    frontEnd.memory.storeShort(desc + 12, (short) 1);
    frontEnd.memory.storeShort(desc + 14, (short) 1);
    frontEnd.memory.storeLong(desc + 16, BUFFER + 1);
    frontEnd.memory.storeInt(desc + 24, 1);
    frontEnd.memory.storeShort(desc + 28, (short) 2);
    frontEnd.memory.storeShort(AVAIL + NEXT_QUEUE + 4 + 2L * slot, (short) 0);
    frontEnd.memory.storeShortRelease(AVAIL + NEXT_QUEUE + 2, (short) (slot + 1));
  }

  private void awaitUsed(int count) throws InterruptedException {
    long deadline = System.nanoTime() + FrontEnd.LIMIT.toNanos();
    while (frontEnd.memory.loadShortAcquire(USED + NEXT_QUEUE + 2) != count) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(1);
    }
  }

  @Test
  void tellsFeaturesAndConfiguration() {
    long features = frontEnd.ask(Request.GET_FEATURES, FrontEnd.bytes(0)).getLong(0);
    assertThat(features)
        .isEqualTo(
            TransportFeatures.VERSION_1
                | TransportFeatures.EVENT_IDX
                | TransportFeatures.INDIRECT_DESC
                | Session.PROTOCOL_FEATURES);
    assertThat(frontEnd.ask(Request.GET_PROTOCOL_FEATURES, FrontEnd.bytes(0)).getLong(0))
        .isEqualTo(Session.REPLY_ACK | Session.CONFIG);
    ByteBuffer wanted = FrontEnd.bytes(20).putInt(0).putInt(8).putInt(0).rewind();
    ByteBuffer config = frontEnd.ask(Request.GET_CONFIG, wanted);
    assertThat(config.limit()).isEqualTo(20);
    assertThat(config.getLong(12)).isEqualTo(0x0807060504030201L);
  }

  @Test
  void servesChainsThatWereThereBeforeTheKickAndAfterIt() throws Exception {
    addChain(0, 41);
    EventFd[] fds = start(8);
    awaitUsed(1);
    assertThat(frontEnd.memory.loadByte(BUFFER + 1)).isEqualTo((byte) 42);
    addChain(1, 7);
    fds[2].signal();
    awaitUsed(2);
    assertThat(frontEnd.memory.loadByte(BUFFER + 1)).isEqualTo((byte) 8);
    assertThat(frontEnd.ask(Request.GET_VRING_BASE, FrontEnd.state(1, 0)).getInt(4)).isEqualTo(2);
    assertThat(fds[3].drain()).isEqualTo(2);
  }

  @Test
  void takesWhatWasSentBeforeTheQueueStops() throws Exception {
    start(8);
    addChain(0, 1); // without a kick
    assertThat(frontEnd.ask(Request.GET_VRING_BASE, FrontEnd.state(0, 0)).getInt(4)).isZero();
    take(device.resets);
    assertThat(frontEnd.memory.loadByte(BUFFER + 1)).isEqualTo((byte) 2);
    assertThat(frontEnd.ask(Request.GET_VRING_BASE, FrontEnd.state(1, 0)).getInt(4)).isEqualTo(1);
  }

  @Test
  void startsAgainWhereItStopped() throws Exception {
    start(8);
    addChain(0, 1);
    frontEnd.ask(Request.GET_VRING_BASE, FrontEnd.state(0, 0));
    int base = frontEnd.ask(Request.GET_VRING_BASE, FrontEnd.state(1, 0)).getInt(4);
    addChain(1, 5);
    frontEnd.send(Request.SET_VRING_BASE, FrontEnd.state(1, base));
    frontEnd.send(Request.SET_VRING_KICK, FrontEnd.u64(0), frontEnd.eventFd().fd());
    frontEnd.send(Request.SET_VRING_KICK, FrontEnd.u64(1), frontEnd.eventFd().fd());
    take(device.activations);
    awaitUsed(2);
    assertThat(frontEnd.memory.loadByte(BUFFER + 1)).isEqualTo((byte) 6);
  }

  @Test
  void resetsTheDeviceWhenTheConnectionEnds() throws Exception {
    start(8);
    frontEnd.close();
    take(device.resets);
  }

  @Test
  void closesTheConnectionOverWhatIsNotLegal() throws IOException {
    Runnable[] wrongs = {
      () -> frontEnd.raw(0, 1, 0, FrontEnd.bytes(0)),
      () -> frontEnd.raw(-1, 1, 0, FrontEnd.bytes(0)),
      () -> frontEnd.raw(99, 1, 0, FrontEnd.bytes(0)),
      () -> frontEnd.raw(1, 2, 0, FrontEnd.bytes(0)), // version
      () -> frontEnd.raw(1, 5, 0, FrontEnd.bytes(0)), // a reply
      () -> frontEnd.raw(2, 1, 4, FrontEnd.bytes(4)),
      () -> frontEnd.raw(5, 1, Integer.MAX_VALUE, FrontEnd.bytes(0)),
      () -> frontEnd.raw(5, 1, -1, FrontEnd.bytes(0)),
      () -> frontEnd.send(Request.SET_FEATURES, FrontEnd.u64(1L << 63)),
      () -> frontEnd.send(Request.SET_OWNER, FrontEnd.bytes(0), frontEnd.memoryFd()),
      () -> frontEnd.send(Request.SET_VRING_NUM, FrontEnd.state(2, 8)),
      () -> frontEnd.send(Request.SET_VRING_NUM, FrontEnd.state(-1, 8)),
      () -> frontEnd.send(Request.SET_VRING_NUM, FrontEnd.state(0, 0)),
      () -> frontEnd.send(Request.SET_VRING_NUM, FrontEnd.state(0, 3)),
      () -> frontEnd.send(Request.SET_VRING_NUM, FrontEnd.state(0, 512)),
      () -> frontEnd.send(Request.SET_VRING_NUM, FrontEnd.state(0, -1)),
      () -> frontEnd.send(Request.SET_VRING_BASE, FrontEnd.state(0, 0x10000)),
      () -> frontEnd.send(Request.SET_VRING_KICK, FrontEnd.u64(0)), // no descriptor
      () -> frontEnd.send(Request.SET_VRING_KICK, FrontEnd.u64(0x100)), // polling
      () -> frontEnd.send(Request.SET_VRING_KICK, FrontEnd.u64(0), frontEnd.memoryFd()),
      () -> frontEnd.send(Request.SET_VRING_CALL, FrontEnd.u64(0), frontEnd.memoryFd()),
      () -> frontEnd.send(Request.SET_VRING_CALL, FrontEnd.u64(7), frontEnd.eventFd().fd()),
      () -> frontEnd.send(Request.SET_VRING_CALL, FrontEnd.u64(1L << 40), frontEnd.eventFd().fd()),
      () ->
          frontEnd.send(
              Request.GET_CONFIG, FrontEnd.bytes(12).putInt(Integer.MAX_VALUE).putInt(8).rewind()),
      () -> frontEnd.send(Request.GET_CONFIG, FrontEnd.bytes(12).putInt(0).putInt(-1).rewind()),
      () -> frontEnd.send(Request.GET_CONFIG, FrontEnd.bytes(12).putInt(0).putInt(257).rewind()),
    };
    closesOverEach(wrongs);
  }

  @Test
  void closesTheConnectionOverAMemoryTableThatIsNotLegal() throws IOException {
    long base = FrontEnd.BASE;
    long size = FrontEnd.SIZE;
    long user = FrontEnd.USER;
    Runnable[] wrongs = {
      () -> table(0, base, size, user, 0),
      () -> table(9, base, size, user, 0),
      () -> table(-1, base, size, user, 0),
      () -> table(1, base, 0, user, 0),
      () -> table(1, base, -4096, user, 0),
      () -> table(1, base, size + 4096, user, 0), // more than the guest has
      () -> table(1, base + 1, size, user, 0),
      () -> table(1, -4096, size, user, 0),
      () -> table(1, Long.MAX_VALUE - 4095, size, user, 0),
      () -> table(1, base, size, user, 4096), // behind the end of the file
      () -> table(1, base, size, user, -4096),
      () -> table(1, base, 4096, user, 12),
      () -> frontEnd.send(Request.SET_MEM_TABLE, frontEnd.table(1, base, size, user, 0)),
      () -> {
        EventFd noFile = frontEnd.eventFd();
        frontEnd.send(Request.SET_MEM_TABLE, frontEnd.table(1, base, size, user, 0), noFile.fd());
      },
      this::overlappingRegions,
    };
    closesOverEach(wrongs);
  }

  @Test
  void refusesGuestMemoryThatTheFrontEndCouldCut() throws IOException {
    Path path = Files.write(folder.resolve("memory"), new byte[(int) FrontEnd.SIZE]);
    try (MemFd unsealed = MemFd.create("guest", FrontEnd.SIZE);
        Fd file = Fd.openReadWrite(path)) {
      closesOverEach(new Runnable[] {() -> memory(unsealed.fd()), () -> memory(file)});
    }
  }

  private void memory(Fd fd) {
    frontEnd.send(
        Request.SET_MEM_TABLE,
        frontEnd.table(1, FrontEnd.BASE, FrontEnd.SIZE, FrontEnd.USER, 0),
        fd);
  }

  private void table(int count, long guest, long size, long user, long offset) {
    frontEnd.send(
        Request.SET_MEM_TABLE,
        frontEnd.table(count, guest, size, user, offset),
        frontEnd.memoryFd());
  }

  private void overlappingRegions() {
    ByteBuffer payload = FrontEnd.bytes(8 + 64).putInt(2).putInt(0);
    for (int i = 0; i < 2; i++) {
      payload.putLong(FrontEnd.BASE).putLong(4096).putLong(FrontEnd.USER).putLong(0);
    }
    frontEnd.send(
        Request.SET_MEM_TABLE, payload.rewind(), frontEnd.memoryFd(), frontEnd.memoryFd());
  }

  private void closesOverEach(Runnable[] wrongs) throws IOException {
    close();
    for (int i = 0; i < wrongs.length; i++) {
      Set<String> before = descriptors();
      server =
          VhostUserServer.listen(
              folder.resolve("w" + i), device, 2, FrontEnd.SIZE, "avf-test-vhost");
      frontEnd = new FrontEnd(folder.resolve("w" + i));
      wrongs[i].run();
      assertThat(frontEnd.isClosedByPeer()).as("wrong message " + i).isTrue();
      close();
      assertThat(descriptors()).as("descriptors after wrong message " + i).isEqualTo(before);
    }
  }

  @Test
  void survivesQueueAddressesOutsideOfMemory() throws Exception {
    long[] wrongs = {0, -1, FrontEnd.USER - 16, FrontEnd.USER + FrontEnd.SIZE, Long.MAX_VALUE};
    frontEnd.negotiate(FEATURES);
    for (long wrong : wrongs) {
      for (int queue = 0; queue < 2; queue++) {
        frontEnd.send(Request.SET_VRING_NUM, FrontEnd.state(queue, 8));
        frontEnd.send(Request.SET_VRING_ADDR, FrontEnd.addresses(queue, wrong, wrong, wrong));
        frontEnd.send(Request.SET_VRING_KICK, FrontEnd.u64(queue), frontEnd.eventFd().fd());
        frontEnd.sendAcked(Request.SET_VRING_ENABLE, FrontEnd.state(queue, 1));
      }
    }
    assertThat(device.activations.availablePermits()).isZero();
  }

  @Test
  void tellsTheFrontEndOfAQueueThatCannotBeUsed() {
    frontEnd.negotiate(FEATURES);
    EventFd error = frontEnd.eventFd();
    frontEnd.send(Request.SET_VRING_ERR, FrontEnd.u64(0), error.fd());
    for (int queue = 0; queue < 2; queue++) {
      EventFd fd = frontEnd.eventFd();
      frontEnd.setUp(queue, 256, DESC, DESC, DESC, fd, fd); // all parts overlap
    }
    assertThat(error.drain()).isPositive();
  }

  @Test
  void refusesChangesWhileTheDeviceRuns() throws Exception {
    start(8);
    frontEnd.send(Request.SET_VRING_NUM, FrontEnd.state(0, 16));
    assertThat(frontEnd.isClosedByPeer()).isTrue();
    take(device.resets);
  }

  @Test
  void takesTheSameMemoryTableAgainWhileTheDeviceRuns() throws Exception {
    start(8);
    frontEnd.sendAcked(
        Request.SET_MEM_TABLE,
        frontEnd.table(1, FrontEnd.BASE, FrontEnd.SIZE, FrontEnd.USER, 0),
        frontEnd.memoryFd());
    assertThat(device.resets.availablePermits()).isZero();
  }

  @Test
  void refusesAnotherMemoryTableWhileTheDeviceRuns() throws Exception {
    start(8);
    try (MemFd other = MemFd.create("other", FrontEnd.SIZE)) {
      other.sealSize();
      frontEnd.send(
          Request.SET_MEM_TABLE, frontEnd.table(1, 0, FrontEnd.SIZE, FrontEnd.USER, 0), other.fd());
      assertThat(frontEnd.isClosedByPeer()).isTrue();
    }
  }

  @Test
  void survivesRandomBytes() throws IOException {
    close();
    for (int seed = 0; seed < 50; seed++) {
      Set<String> before = descriptors();
      server =
          VhostUserServer.listen(
              folder.resolve("r" + seed), device, 2, FrontEnd.SIZE, "avf-test-vhost");
      frontEnd = new FrontEnd(folder.resolve("r" + seed));
      sendGarbage(new SplittableRandom(seed));
      close();
      assertThat(descriptors()).as("descriptors after seed " + seed).isEqualTo(before);
    }
  }

  private void sendGarbage(SplittableRandom random) {
    try {
      for (int i = 0; i < 20; i++) {
        byte[] payload = new byte[random.nextInt(64)];
        random.nextBytes(payload);
        Fd[] fds =
            random.nextBoolean()
                ? new Fd[] {}
                : new Fd[] {random.nextBoolean() ? frontEnd.memoryFd() : frontEnd.eventFd().fd()};
        frontEnd.raw(random.nextInt(27), 1, payload.length, ByteBuffer.wrap(payload), fds);
      }
    } catch (HypervisorException e) {
      // the back-end has closed the connection, as it should
    }
  }

  @Test
  void closesWhileAMessageIsIncomplete() {
    frontEnd.raw(5, 1, 40, FrontEnd.bytes(4));
    server.close();
    assertThat(frontEnd.isClosedByPeer()).isTrue();
  }

  @Test
  void givesEverythingBackWhenItIsClosedByAnInterruptedThread() throws Exception {
    close();
    Set<String> before = descriptors();
    for (int i = 0; i < 20; i++) { // it was a race
      server =
          VhostUserServer.listen(
              folder.resolve("i" + i), device, 2, FrontEnd.SIZE, "avf-test-vhost");
      frontEnd = new FrontEnd(folder.resolve("i" + i));
      start(8);
      Thread.currentThread().interrupt();
      server.close();
      assertThat(Thread.interrupted()).as("the interrupt is kept").isTrue();
      assertThat(device.resets.tryAcquire()).isTrue();
      frontEnd.close();
      assertThat(descriptors()).isEqualTo(before);
    }
  }

  @Test
  void endsItsThread() {
    server.close();
    server.close();
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .doesNotContain("avf-test-vhost");
  }

  /** The open descriptors of this process that a test could leave behind. */
  private static Set<String> descriptors() throws IOException {
    try (Stream<Path> fds = Files.list(Path.of("/proc/self/fd"))) {
      return fds.map(VhostUserServerTest::describe)
          .filter(d -> d.matches(".*(socket|eventfd|eventpoll|memfd).*"))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static String describe(Path fd) {
    try {
      return fd.getFileName() + " " + Files.readSymbolicLink(fd);
    } catch (IOException e) {
      return "gone";
    }
  }
}
