package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.DataSize;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.testing.Arm64Code;
import io.github.avf4j.kvm.testing.NeedsArm64;
import io.github.avf4j.kvm.testing.RngDriver;
import io.github.avf4j.kvm.testing.RunningMachine;
import io.github.avf4j.spi.MachineSpec;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestMemoryException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Protected guests that share pages, or do not. */
@Tag("pkvm")
@ExtendWith(NeedsArm64.class)
class ProtectedMachineTest {
  private static final long SHARED = Arm64Code.RAM + 0x100000;
  private static final long PRIVATE = Arm64Code.RAM + 0x101000;
  private static final int SECRET = 0x53454352;

  @TempDir Path folder;

  @Test
  void theHostReachesWhatIsSharedAndNothingElse() throws Exception {
    Arm64Code code = new Arm64Code().store(PRIVATE, SECRET).share(SHARED).printInt(0);
    code.store(SHARED, 0x12345678).print("shared").awaitNonzero(SHARED + 8).printInt(11);
    code.loadInt(11, PRIVATE).printInt(11).powerOff();
    try (RunningMachine machine = machine(code)) {
      GuestMemory memory = machine.start().machine().memory();
      assertThat(new String(machine.awaitSerial(10))).isEqualTo("\0\0\0\0shared");
      assertThat(memory.loadInt(SHARED)).isEqualTo(0x12345678);
      assertThatThrownBy(() -> memory.loadInt(PRIVATE))
          .isInstanceOf(GuestMemoryException.class)
          .hasMessageContaining("0x80101000 are not shared");
      assertThatThrownBy(() -> memory.storeInt(PRIVATE, 0))
          .isInstanceOf(GuestMemoryException.class);
      assertThatThrownBy(() -> memory.loadLong(Arm64Code.RAM + 64))
          .as("the guest's code")
          .isInstanceOf(GuestMemoryException.class);
      ByteBuffer two = ByteBuffer.allocate(8192);
      assertThatThrownBy(() -> memory.read(SHARED, two)).isInstanceOf(GuestMemoryException.class);
      memory.storeInt(SHARED + 8, 0x21796568);
      assertThat(machine.awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).endsWith("shared" + "hey!" + "RCES");
    }
  }

  @Test
  void accessesWhileTheGuestSharesAndUnsharesSucceedOrThrow() throws Exception {
    Arm64Code code = new Arm64Code().store(SHARED, 0x600D600D);
    int loop = code.size();
    code.share(SHARED).unshare(SHARED).repeatFrom(loop);
    try (RunningMachine machine = machine(code)) {
      GuestMemory memory = machine.start().machine().memory();
      machine.awaitEntry();
      int reached = 0;
      int refused = 0;
      long end = System.nanoTime() + 20_000_000_000L;
      while ((reached < 100 || refused < 100) && System.nanoTime() < end) {
        try {
          int value = memory.loadInt(SHARED);
          // Before the guest's first access the page is the host's, and empty.
          assertThat(value).isIn(0, 0x600D600D);
          memory.storeInt(SHARED + 64, 1);
          reached++;
        } catch (GuestMemoryException e) {
          refused++;
        }
      }
      System.out.println("reached " + reached + ", refused " + refused);
      assertThat(refused).isPositive();
      machine.machine().kill();
      assertThat(machine.awaitStop()).isEqualTo(new StopReason.Killed());
    }
  }

  @Test
  void devicesServeRequestsInSharedPages() throws Exception {
    RngDriver driver = RngDriver.at(SHARED);
    Arm64Code code = new Arm64Code().share(SHARED);
    driver.start(code).request(code, SHARED + 0x800).awaitUsed(code);
    code.print("served").powerOff();
    assertPrintsAndPowersOff("served", code);
  }

  @Test
  void aBufferInPrivateMemoryBreaksTheDeviceAndNothingElse() throws Exception {
    RngDriver driver = RngDriver.at(SHARED);
    Arm64Code code = new Arm64Code().share(SHARED).store(PRIVATE, SECRET);
    driver.start(code).request(code, PRIVATE);
    driver.awaitNeedsReset(code);
    // The guest goes on, its memory is as it was, and the device works again after a reset.
    code.loadInt(11, PRIVATE).printInt(11).store(SHARED + 0x200, 0);
    driver.start(code).request(code, SHARED + 0x800).awaitUsed(code);
    code.print("served").powerOff();
    assertPrintsAndPowersOff("RCESserved", code);
  }

  @Test
  void aQueueInPrivateMemoryBreaksTheDeviceAndNothingElse() throws Exception {
    RngDriver driver = RngDriver.at(PRIVATE);
    Arm64Code code = new Arm64Code().store(PRIVATE, SECRET);
    driver.start(code).request(code, SHARED);
    driver.awaitNeedsReset(code);
    code.print("alive").powerOff();
    assertPrintsAndPowersOff("alive", code);
  }

  @Test
  void aQueueThatIsTakenBackBreaksTheDeviceAndNothingElse() throws Exception {
    RngDriver driver = RngDriver.at(SHARED);
    Arm64Code code = new Arm64Code().share(SHARED);
    driver.start(code).request(code, SHARED + 0x800).awaitUsed(code);
    code.unshare(SHARED);
    driver.tell(code).awaitNeedsReset(code);
    code.print("alive").powerOff();
    assertPrintsAndPowersOff("alive", code);
  }

  @Test
  void firmwareStartsInItsWindowAndFindsTreeAndKernel() throws Exception {
    byte[] firmware = firmware().bytes();
    Path image = Files.write(folder.resolve("firmware"), firmware);
    Path payload = Files.writeString(folder.resolve("payload"), "any file, not a kernel");
    for (ProtectionLevel level : ProtectionLevel.values()) {
      try (RunningMachine machine =
          RunningMachine.create(
              spec ->
                  spec.kernel(payload)
                      .firmware(image)
                      .memory(DataSize.ofMebibytes(4))
                      .protection(level))) {
        assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
        assertThat(machine.serial())
            .as("tree, payload, its address and size at level %s", level)
            .isEqualTo("\u00d0\r\u00fe\u00edany \0\0 \u0080\u0016\0\0\0");
        assertThat(machine.failure()).isEqualTo("why");
      }
    }
  }

  private static Arm64Code firmware() {
    Arm64Code code = new Arm64Code().loadIntAt(11, 0).loadIntAt(12, 1).copy(13, 1).copy(14, 2);
    code.printInt(11).printInt(12).printInt(13).printInt(14);
    for (char c : "why".toCharArray()) {
      code.set(11, c).storeByte(11, 0x2F8);
    }
    return code.powerOff();
  }

  @Test
  void firmwareLargerThanItsWindowIsRefused() throws Exception {
    Path large = Files.write(folder.resolve("firmware"), new byte[(2 << 20) + 1]);
    Arm64Code code = new Arm64Code().powerOff();
    assertThatThrownBy(() -> machine(code, spec -> spec.firmware(large)))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("has 2097153 bytes but the firmware's window takes 2097152");
  }

  private void assertPrintsAndPowersOff(String text, Arm64Code code) throws Exception {
    try (RunningMachine machine = machine(code)) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo(text);
    }
  }

  private RunningMachine machine(Arm64Code code) throws Exception {
    return machine(code, spec -> spec);
  }

  private RunningMachine machine(Arm64Code code, UnaryOperator<MachineSpec.Builder> change)
      throws Exception {
    Path kernel = Files.write(folder.resolve("Image"), code.image());
    return RunningMachine.create(
        spec ->
            change.apply(
                spec.kernel(kernel)
                    .memory(DataSize.ofMebibytes(4))
                    .protection(ProtectionLevel.HARDWARE)));
  }
}
