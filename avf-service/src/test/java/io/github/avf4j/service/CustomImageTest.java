package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DiskImage;
import io.github.avf4j.Firmware;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.spi.DiskSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class CustomImageTest extends ManagerTest {
  private VirtualMachine vm(CustomImageConfig.Builder image) {
    return manager.getOrCreate(
        "c",
        VirtualMachineConfig.builder()
            .customImage(image.build())
            .bootTimeout(Duration.ofMillis(1))
            .build());
  }

  @Test
  void bootsWhatIsGivenAndReportsNothing() throws Exception {
    fixture.backend.guest =
        machine -> {
          Thread.sleep(50);
          machine.stop(new StopReason.Reboot());
        };
    Path disk = Files.write(folder.resolve("disk"), new byte[1024]);
    VirtualMachine vm =
        vm(
            CustomImageConfig.builder()
                .kernel(fixture.kernel.image())
                .initrd(fixture.payload)
                .commandLine("quiet")
                .addDisk(DiskImage.readOnly(disk)));
    vm.run();
    assertThat(vm.awaitStopped(Duration.ofSeconds(30))).contains(new StopReason.Reboot());
    var spec = fixture.backend.last().spec;
    assertThat(spec.kernel()).isEqualTo(fixture.kernel.image());
    assertThat(spec.initrd()).contains(fixture.payload);
    assertThat(spec.commandLine()).isEqualTo("quiet");
    assertThat(spec.disks()).containsExactly(new DiskSpec(disk, true, ""));
  }

  @Test
  void saysWhyTheFirmwareInTheMachineResetIt() throws Exception {
    fixture.backend.guest =
        machine -> {
          print(machine, "anything\r\nPVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED\r\n");
          print(machine, "PVM_FIRMWARE_INTERNAL_ERROR\n");
          machine.stop(new StopReason.Reboot());
        };
    VirtualMachine vm = vm(CustomImageConfig.builder().kernel(fixture.kernel.image()));
    vm.run();
    assertThat(vm.awaitStopped(Duration.ofSeconds(30)))
        .contains(
            new StopReason.FirmwareRefused(
                7,
                "PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED",
                "the firmware in the machine reset it before the kernel ran"));
  }

  @Test
  void believesNoFirmwareThatDoesNotReset() throws Exception {
    fixture.backend.guest =
        machine -> {
          print(machine, "PVM_FIRMWARE_INVALID_FDT\n");
          machine.powerOff();
        };
    VirtualMachine vm = vm(CustomImageConfig.builder().kernel(fixture.kernel.image()));
    vm.run();
    assertThat(vm.awaitStopped(Duration.ofSeconds(30))).contains(new StopReason.Shutdown());
  }

  private static void print(FakeMachine machine, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    machine.spec.failureOutput().write(bytes, 0, bytes.length);
  }

  @Test
  void givesAMachineTheFirmwareAndTheProtectionThatIsAskedFor() throws Exception {
    fixture.backend.levels = Set.of(ProtectionLevel.NONE, ProtectionLevel.SIMULATED);
    fixture.backend.guest = FakeMachine::powerOff;
    Path firmware = Files.write(folder.resolve("firmware"), new byte[1000]);
    VirtualMachine vm =
        manager.create(
            "f",
            VirtualMachineConfig.builder()
                .customImage(
                    CustomImageConfig.builder()
                        .kernel(fixture.kernel.image())
                        .firmware(Firmware.image(firmware))
                        .build())
                .protectionLevel(ProtectionLevel.SIMULATED)
                .build());
    byte[] id = null;
    for (int i = 0; i < 2; i++) {
      vm.run();
      assertThat(vm.awaitStopped(Duration.ofSeconds(30))).contains(new StopReason.Shutdown());
      var spec = fixture.backend.last().spec;
      assertThat(spec.protection()).isEqualTo(ProtectionLevel.SIMULATED);
      assertThat(spec.firmware()).contains(firmware);
      assertThat(spec.instanceId()).hasSize(64);
      assertThat(spec.commandLine())
          .as("without one of its own")
          .isEqualTo(MachineSpecs.commandLine(GuestArchitecture.host()));
      if (id != null) {
        assertThat(spec.instanceId()).as("it stays").isEqualTo(id);
      }
      id = spec.instanceId();
    }
  }

  @Test
  void firmwareWithSecretsIsAFileForTheBackendAloneAndOnlyWhileItMakesTheMachine()
      throws Exception {
    fixture.backend.guest = FakeMachine::powerOff;
    List<Path> files = new CopyOnWriteArrayList<>();
    fixture.backend.onCreate =
        spec -> {
          Path file = spec.firmware().orElseThrow();
          assertThat(file).isNotEmptyFile();
          assertThat(permissions(file)).isEqualTo("rw-------");
          assertThat(permissions(file.getParent())).isEqualTo("rwx------");
          files.add(file);
        };
    VirtualMachine vm =
        vm(CustomImageConfig.builder().kernel(fixture.kernel.image()).firmware(Firmware.pvmfw()));
    vm.run();
    assertThat(files).hasSize(1);
    assertThat(files.get(0)).doesNotExist();
    assertThat(vm.awaitStopped(Duration.ofSeconds(30))).contains(new StopReason.Shutdown());

    Files.writeString(files.get(0), "what a process left that was killed");
    fixture.backend.createFailure = new IllegalStateException("no machine today");
    assertThatThrownBy(vm::run).hasMessage("no machine today");
    assertThat(files).hasSize(2);
    assertThat(files.get(1)).isEqualTo(files.get(0)).doesNotExist();
  }

  private static String permissions(Path file) {
    try {
      return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void refusesFilesThatCannotBeUsed() throws Exception {
    Path odd = Files.write(folder.resolve("odd"), new byte[1000]);
    Path none = folder.resolve("none");
    CustomImageConfig.Builder kernel = CustomImageConfig.builder().kernel(fixture.kernel.image());
    assertRefused(CustomImageConfig.builder().kernel(none), "the kernel " + none);
    manager.delete("c");
    assertRefused(
        CustomImageConfig.builder().kernel(fixture.kernel.image()).initrd(none),
        "the initial RAM disk " + none);
    manager.delete("c");
    assertRefused(kernel.addDisk(DiskImage.readWrite(odd)), "a multiple of 512 bytes but has 1000");
  }

  private void assertRefused(CustomImageConfig.Builder image, String why) {
    VirtualMachine vm = vm(image);
    assertThatThrownBy(vm::run).isInstanceOf(InvalidImageException.class).hasMessageContaining(why);
  }
}
