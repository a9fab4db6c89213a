package io.github.avf4j.kvm.boot.arm64;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.DataSize;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import io.github.avf4j.kvm.boot.GuestRam;
import io.github.avf4j.kvm.testing.Arm64Code;
import io.github.avf4j.kvm.testing.RunningMachine;
import io.github.avf4j.spi.MachineSpec;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoaderTest {
  private static final long RAM = 0x80000000L;
  private static final long WINDOW = 0x7FC00000L;

  @TempDir Path folder;
  private GuestRam ram = GuestRam.anonymous(List.of(new GuestRange(RAM, 4096)));

  @AfterEach
  void unmap() {
    ram.close();
  }

  @Test
  void kernelIsAtTheBeginningOfRamAndTheTreeAtItsEnd() throws Exception {
    byte[] image = image(2 << 20, 0x10000);
    MachineSpec.Builder spec = spec(48, image);
    spec.initrd(Files.writeString(folder.resolve("initrd"), "RAMDISK"));
    Arm64Boot boot = load(spec, Start.KERNEL);
    assertThat(boot).isEqualTo(new Arm64Boot(RAM + 0x10000, RAM + (46 << 20), 0, 0));
    assertThat(bytes(RAM + 0x10000, image.length)).isEqualTo(image);
    assertThat(new String(bytes(RAM + (16 << 20), 7))).isEqualTo("RAMDISK");
    FdtNode chosen = tree(boot).root().child("chosen").orElseThrow();
    assertThat(chosen.u32OrU64("linux,initrd-start")).hasValue(RAM + (16 << 20));
    assertThat(chosen.u32OrU64("linux,initrd-end")).hasValue(RAM + (16 << 20) + 7);
    assertThat(tree(boot).root().child("config")).isEmpty();
  }

  @Test
  void firmwareIsInItsWindowAndTheKernelsFileAfterTheTree() throws Exception {
    byte[] firmware = "firmware".repeat(100_000).getBytes();
    byte[] payload = "no kernel but what the firmware knows".getBytes();
    byte[] instance = new byte[64];
    instance[5] = 9;
    MachineSpec.Builder spec = spec(20, payload);
    spec.firmware(Files.write(folder.resolve("firmware"), firmware)).instanceId(instance);
    spec.initrd(Files.writeString(folder.resolve("initrd"), "RAMDISK"));
    Arm64Boot boot = load(spec, Start.FIRMWARE);
    long at = RAM + (2 << 20);
    assertThat(boot).isEqualTo(new Arm64Boot(WINDOW, RAM, at, payload.length));
    assertThat(bytes(WINDOW, firmware.length)).isEqualTo(firmware);
    assertThat(bytes(at, payload.length)).isEqualTo(payload);
    assertThat(new String(bytes(RAM + (16 << 20), 7))).isEqualTo("RAMDISK");
    FdtNode config = tree(boot).root().child("config").orElseThrow();
    assertThat(config.u32("kernel-address")).hasValue(at);
    assertThat(config.u32("kernel-size")).hasValue(payload.length);
    FdtNode untrusted = tree(boot).root().find("avf/untrusted").orElseThrow();
    assertThat(untrusted.property("instance-id").orElseThrow().get(5)).isEqualTo((byte) 9);
  }

  @Test
  void firmwareOfTheHypervisorIsNotOursToLoadOrToEnter() throws Exception {
    Arm64Boot boot = load(spec(4, new byte[] {1}), Start.HYPERVISOR_FIRMWARE);
    assertThat(boot).isEqualTo(new Arm64Boot(0, RAM, RAM + (2 << 20), 1));
    assertThat(bytes(WINDOW, 64)).containsOnly(0);
  }

  @Test
  void kernelsThatWouldReachTheTreeAreRefused() throws Exception {
    load(spec(4, image(2 << 20, 0)), Start.KERNEL);
    assertRefused(spec(4, image((2 << 20) + 4096, 0)), "Image needs memory up to 3 MiB");
    assertRefused(spec(4, image(2 << 20, 4096)), "of which 2 MiB are for its device tree");
    assertRefused(spec(2, image(4096, 0)), "but the machine has 2 MiB");
    MachineSpec.Builder spec = spec(18, image(4096, 0));
    spec.initrd(Files.writeString(folder.resolve("initrd"), "RAMDISK"));
    assertRefused(spec, "initrd needs memory up to 17 MiB");
  }

  @Test
  void payloadsAndFirmwareThatDoNotFitAreRefused() throws Exception {
    MachineSpec.Builder spec = spec(2, new byte[] {1});
    assertThatThrownBy(() -> load(spec, Start.FIRMWARE))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("needs memory up to 3 MiB but the machine has 2 MiB: give");
    spec.firmware(Files.write(folder.resolve("firmware"), new byte[(2 << 20) + 1]));
    assertThatThrownBy(() -> load(spec, Start.FIRMWARE))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("firmware has 2097153 bytes but the firmware's window takes");
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> load(spec.firmware(missing), Start.FIRMWARE))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("the firmware " + missing + " does not exist");
    Path empty = Files.createFile(folder.resolve("empty"));
    assertThatThrownBy(() -> load(spec.firmware(empty), Start.FIRMWARE))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("the firmware " + empty + " is empty");
    assertThatThrownBy(() -> load(spec.firmware(folder), Start.FIRMWARE))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("the firmware " + folder + " is not a regular file");
  }

  @Test
  void firmwareMayFillAllThatItsWindowHasForIt() throws Exception {
    byte[] firmware = new byte[2 << 20];
    new Random(1).nextBytes(firmware);
    MachineSpec.Builder spec = spec(4, new byte[] {1});
    load(spec.firmware(Files.write(folder.resolve("firmware"), firmware)), Start.FIRMWARE);
    assertThat(bytes(WINDOW, firmware.length)).isEqualTo(firmware);
    assertThat(bytes(WINDOW + firmware.length, 4096)).containsOnly(0);
  }

  @Test
  void firmwareIsReadAnewForEveryMachine() throws Exception {
    Path file = Files.write(folder.resolve("firmware"), new byte[1 << 20]);
    FileTime time = Files.getLastModifiedTime(file);
    MachineSpec.Builder spec = spec(4, new byte[] {1}).firmware(file);
    load(spec, Start.FIRMWARE);
    byte[] other = "secrets of another".repeat(60_000).substring(0, 1 << 20).getBytes();
    Files.write(file, other);
    Files.setLastModifiedTime(file, time); // nothing but the contents tells it from the first
    load(spec, Start.FIRMWARE);
    assertThat(bytes(WINDOW, other.length)).isEqualTo(other);
  }

  @Test
  void sharedPoolIsAQuarterOfRamButAtMost64Mebibytes() {
    assertThat(Hardware.sharedPool(4 << 20)).isEqualTo(1 << 20);
    assertThat(Hardware.sharedPool((4 << 20) + 4096)).isEqualTo(1 << 20);
    assertThat(Hardware.sharedPool(256 << 20)).isEqualTo(64 << 20);
    assertThat(Hardware.sharedPool(8L << 30)).isEqualTo(64 << 20);
  }

  private static byte[] image(int size, int textOffset) {
    byte[] image = new Arm64Code().halt().image();
    ByteBuffer b = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(8, textOffset).putLong(16, size);
    return image;
  }

  private MachineSpec.Builder spec(int mebibytes, byte[] kernel) throws Exception {
    return RunningMachine.spec()
        .memory(DataSize.ofMebibytes(mebibytes))
        .kernel(Files.write(folder.resolve("Image"), kernel))
        .commandLine("quiet");
  }

  private Arm64Boot load(MachineSpec.Builder builder, Start start) {
    MachineSpec spec = builder.build();
    long size = spec.memory().bytes();
    ram.close();
    ram =
        GuestRam.anonymous(
            List.of(new GuestRange(RAM, size), new GuestRange(WINDOW, RAM - WINDOW)));
    return Loader.load(ram, spec, new Hardware(size, 1, 3, Gic.V3, Rtc.PL031, 0), start);
  }

  private void assertRefused(MachineSpec.Builder spec, String why) {
    assertThatThrownBy(() -> load(spec, Start.KERNEL))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining(why);
  }

  private byte[] bytes(long gpa, int length) {
    byte[] bytes = new byte[length];
    ram.direct().read(gpa, bytes, 0, length);
    return bytes;
  }

  private DeviceTree tree(Arm64Boot boot) {
    GuestMemory memory = ram.direct();
    int size = Integer.reverseBytes(memory.loadInt(boot.deviceTree() + 4));
    return DeviceTree.parse(bytes(boot.deviceTree(), size));
  }
}
