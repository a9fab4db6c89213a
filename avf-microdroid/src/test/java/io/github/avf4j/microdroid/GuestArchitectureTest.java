package io.github.avf4j.microdroid;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.microdroid.initrd.GuestBinary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GuestArchitectureTest {
  @Test
  void isThatOfTheHost() {
    assertThat(GuestArchitecture.ofJvm("amd64")).contains(GuestArchitecture.X86_64);
    assertThat(GuestArchitecture.ofJvm("aarch64")).contains(GuestArchitecture.AARCH64);
    assertThat(GuestArchitecture.ofJvm("riscv64")).isEmpty();
    assertThat(GuestArchitecture.host().toString())
        .isEqualTo(System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x86-64");
  }

  @Test
  void namesOtherProcessors() {
    assertThat(GuestArchitecture.nameOfElfMachine(183)).isEqualTo("arm64");
    assertThat(GuestArchitecture.nameOfElfMachine(40)).isEqualTo("32-bit ARM");
    assertThat(GuestArchitecture.nameOfElfMachine(9)).contains("ELF machine 9");
  }

  @ParameterizedTest
  @EnumSource
  void theGuestsProgramsAreBuiltForIt(GuestArchitecture architecture) {
    for (GuestBinary binary : GuestBinary.values()) {
      byte[] content = binary.read(architecture);
      ByteBuffer elf = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
      assertThat(elf.getInt(0)).as(binary.fileName()).isEqualTo(0x464c457f);
      assertThat(elf.getShort(18)).isEqualTo((short) architecture.elfMachine());
    }
    String launcher =
        new String(GuestBinary.LAUNCHER.read(architecture), StandardCharsets.ISO_8859_1);
    assertThat(launcher)
        .contains('/' + architecture.loaderFolder() + '/' + architecture.loader() + '\0');
  }
}
