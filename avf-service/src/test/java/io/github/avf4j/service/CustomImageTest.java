package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DiskImage;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.spi.DiskSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
