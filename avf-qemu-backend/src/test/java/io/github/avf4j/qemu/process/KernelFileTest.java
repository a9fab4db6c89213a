package io.github.avf4j.qemu.process;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.InvalidImageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelFileTest {
  private static final int NOTE_TYPE_OFFSET = TscGuest.kernel().length - 20 + 8;

  @TempDir Path folder;

  private Path write(byte[] bytes) throws Exception {
    return Files.write(folder.resolve("kernel"), bytes);
  }

  @Test
  void takesAnElfWithPvhEntry() throws Exception {
    Path kernel = write(TscGuest.kernel());
    assertThatCode(() -> KernelFile.requireBootable(kernel)).doesNotThrowAnyException();
  }

  @Test
  void takesABzImage() throws Exception {
    byte[] image = new byte[2048];
    ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).putInt(0x202, 0x53726448);
    Path kernel = write(image);
    assertThatCode(() -> KernelFile.requireBootable(kernel)).doesNotThrowAnyException();
  }

  @Test
  void refusesAnElfWithoutPvhEntryAndSaysSo() throws Exception {
    byte[] elf = TscGuest.kernel();
    elf[NOTE_TYPE_OFFSET] = 17;
    Path kernel = write(elf);
    assertThatThrownBy(() -> KernelFile.requireBootable(kernel))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("without a PVH entry");
  }

  @Test
  void refusesAnElfForAnotherMachine() throws Exception {
    byte[] elf = TscGuest.kernel();
    elf[18] = (byte) 183;
    Path kernel = write(elf);
    assertThatThrownBy(() -> KernelFile.requireBootable(kernel))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("x86-64");
  }

  @Test
  void refusesWhatIsNoKernel() throws Exception {
    Path text = write("#!/bin/sh\n".getBytes());
    assertThatThrownBy(() -> KernelFile.requireBootable(text))
        .isInstanceOf(InvalidImageException.class);
    assertThatThrownBy(() -> KernelFile.requireBootable(folder))
        .isInstanceOf(InvalidImageException.class);
    assertThatThrownBy(() -> KernelFile.requireBootable(folder.resolve("missing")))
        .isInstanceOf(InvalidImageException.class);
  }

  @Test
  void answersWhateverTheFileHolds() throws Exception {
    for (int seed = 0; seed < 500; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      byte[] elf = TscGuest.kernel();
      for (int i = 0; i < 8; i++) {
        elf[4 + random.nextInt(elf.length - 4)] = (byte) random.nextInt();
      }
      Path kernel = write(Arrays.copyOf(elf, 4 + random.nextInt(elf.length - 3)));
      try {
        KernelFile.requireBootable(kernel);
      } catch (InvalidImageException e) {
        // as good an answer as any
      }
    }
  }
}
