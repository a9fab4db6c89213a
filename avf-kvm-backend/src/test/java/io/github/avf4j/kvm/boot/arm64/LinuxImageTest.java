package io.github.avf4j.kvm.boot.arm64;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.kvm.boot.ImageFile;
import io.github.avf4j.kvm.testing.Arm64Code;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class LinuxImageTest {
  private final byte[] good = new Arm64Code().print("some code").halt().image();

  @Test
  void readsOffsetAndSize() {
    assertThat(parse(good)).isEqualTo(new LinuxImage(0, 4096));
    assertThat(parse(changed(b -> b.putLong(8, 0x80000).putLong(16, 1 << 20))))
        .isEqualTo(new LinuxImage(0x80000, 1 << 20));
  }

  @Test
  void oldKernelsWithoutASizeAreLoadedAtTheOldOffset() {
    assertThat(parse(changed(b -> b.putLong(8, 0).putLong(16, 0))))
        .isEqualTo(new LinuxImage(0x80000, good.length));
  }

  @Test
  void saysWhatIsWrongWithAFile() {
    assertRejected(new byte[63], "is no arm64 kernel Image: give an uncompressed Image");
    assertRejected(new byte[] {0x1F, (byte) 0x8B, 8, 0}, "but gzip data");
    assertRejected(new byte[] {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD}, "but zstd data");
    assertRejected("\u007fELF".getBytes(StandardCharsets.US_ASCII), "but an ELF file");
    byte[] zboot = changed(b -> b.putInt(0, 0x00005A4D).putInt(4, 0x676D697A).putInt(56, 0));
    assertRejected(zboot, "but a compressed EFI application");
    assertRejected(changed(b -> b.putLong(24, 0xB)), "is a big-endian kernel");
    assertRejected(changed(b -> b.putLong(8, 2 << 20)), "asks for the text offset 0x200000");
    assertRejected(changed(b -> b.putLong(8, -4096)), "asks for the text offset 0xfff");
    assertRejected(changed(b -> b.putLong(8, 1)), "asks for the text offset 0x1");
    assertRejected(changed(b -> b.putLong(16, 64)), "claims to need 64 bytes but has");
    assertRejected(changed(b -> b.putLong(16, -1)), "claims to need 18446744073709551615 bytes");
    assertRejected(changed(b -> b.putLong(16, (1L << 30) + 1)), "claims to need 1073741825");
  }

  @Test
  void rejectsOrReadsWhateverIsInAFile() {
    Random random = new Random(20260102);
    for (int i = 0; i < 20_000; i++) {
      byte[] bad = Arrays.copyOf(good, 1 + random.nextInt(good.length));
      for (int n = random.nextInt(6); n >= 0; n--) {
        bad[random.nextInt(Math.min(bad.length, 64))] =
            (byte) (random.nextInt(4) == 0 ? -1 : random.nextInt(256));
      }
      try {
        LinuxImage image = parse(bad);
        assertThat(image.size()).isBetween((long) bad.length, 1L << 30);
        assertThat(image.textOffset()).isBetween(0L, (2L << 20) - 1);
      } catch (InvalidImageException e) {
        assertThat(e).hasMessageStartingWith("Image ").hasMessageContaining(": ");
      }
    }
  }

  private static LinuxImage parse(byte[] file) {
    return LinuxImage.parse(new ImageFile(Path.of("Image"), ByteBuffer.wrap(file), null));
  }

  private byte[] changed(Consumer<ByteBuffer> change) {
    byte[] copy = good.clone();
    change.accept(ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN));
    return copy;
  }

  private static void assertRejected(byte[] file, String why) {
    assertThatThrownBy(() -> parse(file))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining(why);
  }
}
