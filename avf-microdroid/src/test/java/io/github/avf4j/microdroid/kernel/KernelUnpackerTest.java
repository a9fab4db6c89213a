package io.github.avf4j.microdroid.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.KernelImage;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.Tool;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelUnpackerTest extends UnpackingTest {
  KernelUnpackerTest() {
    super(GuestArchitecture.X86_64);
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gzip -n -9",
        "xz --check=crc32 --x86 --lzma2=dict=32MiB",
        "zstd -22 --ultra --quiet",
        "lz4 -l -9 -c"
      })
  void unpacksWhatAToolHasPacked(String command) throws Exception {
    byte[] elf = BzImages.elf(SIZE);
    byte[] packed = Tool.run(folder, elf, command.split(" "));
    Path image = image(BzImages.of(packed, SIZE, command.startsWith("gzip")));
    Path unpacked = unpacker.unpack(image);
    assertThat(Files.mismatch(unpacked, Files.write(folder.resolve("elf"), elf))).isEqualTo(-1);
    assertAccepted(image);

    Files.write(image, new byte[70_000], StandardOpenOption.APPEND);
    assertThat(unpacker.unpack(image)).as("with a footer").hasSameBinaryContentAs(unpacked);
    assertAccepted(image);
  }

  @Test
  void unpacksTheInstalledKernel() throws Exception {
    Path installed = KernelImage.installed().image();
    assumeTrue(Files.exists(installed), installed + " is not there: run bin/setup");
    Path unpacked = unpacker.unpack(installed);
    assertThat(Files.size(unpacked)).isGreaterThan(Files.size(installed));
    try (var in = Files.newInputStream(unpacked)) {
      assertThat(in.readNBytes(4)).containsExactly(0x7f, 'E', 'L', 'F');
    }
  }

  @Test
  void takesAnElfKernelAsItIs() throws IOException {
    Path image = image(BzImages.elf(4096));
    assertThat(unpacker.unpack(image)).isEqualTo(image);
    assertThat(folder.resolve("cache")).doesNotExist();
    assertAccepted(image);
  }

  @Test
  void unpacksOnceAndAgainWhenTheImageChanges() throws IOException {
    byte[] one = BzImages.elf(5000);
    Path first = unpacker.unpack(image(BzImages.of(gzip(one), 5000, true)));
    assertThat(unpacker.unpack(folder.resolve("vmlinuz"))).isEqualTo(first);
    byte[] two = BzImages.elf(6000);
    Path second = unpacker.unpack(image(BzImages.of(gzip(two), 6000, true)));
    assertThat(first).hasBinaryContent(one);
    assertThat(second).hasBinaryContent(two);
  }

  @Test
  void makesAgainWhatWasRemovedFromTheCache() throws IOException {
    Path image = image(BzImages.of(gzip(BzImages.elf(5000)), 5000, true));
    Path first = unpacker.unpack(image);
    Files.delete(first);
    assertThat(unpacker.unpack(image)).isEqualTo(first).exists();
  }

  @Test
  void namesTheFileByItsContent() throws IOException {
    byte[] image = BzImages.of(gzip(BzImages.elf(5000)), 5000, true);
    Path first = unpacker.unpack(Files.write(folder.resolve("a"), image));
    KernelUnpacker another = unpackerFor(GuestArchitecture.X86_64);
    assertThat(another.unpack(Files.write(folder.resolve("b"), image))).isEqualTo(first);
  }

  @Test
  void refusesWhatIsMissingEmptyOrAFolder() throws IOException {
    assertRefused(folder.resolve("none"), "does not exist");
    assertRefused(Files.createFile(folder.resolve("empty")), "is empty");
    assertRefused(folder, "must be a regular file");
  }

  @Test
  void refusesWhatIsNoKernel() throws IOException {
    assertRefused(image("hello".getBytes()), "is no kernel");
    assertRefused(image(new byte[100_000]), "is no kernel");
  }

  @Test
  void refusesATruncatedKernel() throws IOException {
    byte[] image = BzImages.of(gzip(BzImages.elf(50_000)), 50_000, true);
    for (int length : new int[] {0x251, 1024, 1200, image.length - 1}) {
      assertRefused(image(Arrays.copyOf(image, length)), "is truncated");
    }
  }

  @Test
  void refusesADamagedKernel() throws IOException {
    byte[] image = BzImages.of(gzip(BzImages.elf(50_000)), 50_000, true);
    Arrays.fill(image, image.length - 5000, image.length - 4000, (byte) 0x55);
    assertRefused(image(image), "is damaged");
    assertNothingLeft();
  }

  @Test
  void refusesAKernelThatUnpacksToMoreOrLessThanItSays() throws IOException {
    byte[] packed = gzip(BzImages.elf(500_000));
    for (int claimed : new int[] {499_999, 500_001, 0}) {
      byte[] lying = packed.clone();
      java.nio.ByteBuffer.wrap(lying)
          .order(java.nio.ByteOrder.LITTLE_ENDIAN)
          .putInt(lying.length - 4, claimed);
      assertRefused(image(BzImages.of(lying, claimed, true)), "is damaged");
    }
    assertNothingLeft();
  }

  @Test
  void refusesAKernelThatClaimsToBeHuge() throws IOException {
    byte[] packed = Arrays.copyOf(new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0}, 100);
    assertRefused(image(BzImages.of(packed, -1, false)), "claims to unpack to 4294967295 bytes");
  }

  @Test
  void refusesUnknownCompressionAndContent() throws IOException {
    assertRefused(image(BzImages.of(new byte[100], 1000, false)), "compressed in another way");
    byte[] text = new byte[5000];
    assertRefused(image(BzImages.of(gzip(text), 5000, true)), "holds no ELF kernel");
  }
}
