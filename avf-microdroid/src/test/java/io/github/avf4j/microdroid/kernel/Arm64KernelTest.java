package io.github.avf4j.microdroid.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.Tool;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Arm64KernelTest extends UnpackingTest {
  Arm64KernelTest() {
    super(GuestArchitecture.AARCH64);
  }

  private byte[] pack(byte[] content, String command) throws Exception {
    return Tool.run(folder, content, command.split(" "));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gzip -n -9",
        "xz --check=crc32 --lzma2=dict=32MiB",
        "zstd -19 --quiet",
        "lz4 -l -9 -c"
      })
  void unpacksWhatAToolHasPacked(String command) throws Exception {
    byte[] image = Arm64Images.image(SIZE);
    byte[] packed = pack(image, command);
    Path whole = image(packed);
    Path unpacked = unpacker.unpack(whole);
    assertThat(unpacked).hasBinaryContent(image);
    assertAccepted(whole);

    byte[] signed = Arrays.copyOf(packed, packed.length + 8192);
    byte[] footer = new AvbFooter(packed.length, packed.length, 512).encode();
    System.arraycopy(footer, 0, signed, signed.length - footer.length, footer.length);
    assertThat(unpacker.unpack(image(signed))).as("with a footer").hasBinaryContent(image);
    assertAccepted(whole);

    Path zboot = image(Arm64Images.zboot(packed, command.split(" ")[0]));
    assertThat(unpacker.unpack(zboot)).as("in an EFI executable").hasBinaryContent(image);
    Files.write(zboot, new byte[70_000], StandardOpenOption.APPEND);
    assertThat(unpacker.unpack(zboot)).as("and with a footer").hasBinaryContent(image);
    assertAccepted(zboot);
  }

  @Test
  void unpacksTheDistributionsKernelAfterAToolHasPackedIt() throws Exception {
    Path installed = CacheFolder.ofUser().path("lab", "arm64-cache/avf4j/kernels/default");
    Path kernel = installed.resolve("vmlinuz");
    assumeTrue(Files.exists(kernel), kernel + " is not there: run bin/setup --lab-arm64");
    assertThat(unpacker.unpack(kernel)).isEqualTo(kernel);
    assertAccepted(kernel);
    Path packed = image(pack(Files.readAllBytes(kernel), "gzip -n -1"));
    assertThat(unpacker.unpack(packed)).hasSameBinaryContentAs(kernel);
  }

  @Test
  void takesAnImageAsItIs() throws IOException {
    Path image = image(Arm64Images.image(4096));
    assertThat(unpacker.unpack(image)).isEqualTo(image);
    assertThat(folder.resolve("cache")).doesNotExist();
    assertAccepted(image);
  }

  @Test
  void refusesKernelsForOtherProcessors() throws IOException {
    assertRefused(image(BzImages.of(new byte[100], 1000, false)), "is one for x86-64");
    assertRefused(image(BzImages.elf(5000)), "is an ELF file, which arm64 does not boot");
    Path image = image(Arm64Images.image(5000));
    KernelUnpacker other = unpackerFor(GuestArchitecture.X86_64);
    assertThatThrownBy(() -> other.unpack(image))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("is one for arm64 but the guest is x86-64");
  }

  @Test
  void refusesWhatIsNoKernel() throws Exception {
    assertRefused(image("hello".getBytes()), "is no kernel");
    assertRefused(image(new byte[100_000]), "is no kernel");
    assertRefused(image(pack(new byte[100_000], "gzip -n")), "holds no arm64 Image");
    assertRefused(image(pack(new byte[0], "gzip -n")), "is no kernel");
    assertRefused(image(pack(BzImages.elf(5000), "zstd --quiet")), "holds no arm64 Image");
    assertNothingLeft();
  }

  @Test
  void refusesADamagedOrTruncatedKernel() throws Exception {
    byte[] packed = pack(Arm64Images.image(500_000), "zstd --quiet");
    byte[] damaged = packed.clone();
    Arrays.fill(damaged, damaged.length - 900, damaged.length - 800, (byte) 0x55);
    assertRefused(image(damaged), "is damaged");
    assertRefused(image(Arrays.copyOf(packed, packed.length / 2)), "is damaged");
    assertNothingLeft();
  }

  @Test
  void refusesAnExecutableWhoseKernelIsOutsideOfIt() throws Exception {
    byte[] zboot = Arm64Images.zboot(pack(Arm64Images.image(5000), "gzip -n"), "gzip");
    for (int[] place :
        new int[][] {{-1, 100}, {0x1000, -1}, {0x1000, zboot.length}, {zboot.length, 8}}) {
      ByteBuffer.wrap(zboot)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putInt(8, place[0])
          .putInt(12, place[1]);
      assertRefused(image(zboot), "is truncated: its kernel ends at byte");
    }
    for (int[] place : new int[][] {{0, 100}, {0x1000, 7}}) {
      ByteBuffer.wrap(zboot)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putInt(8, place[0])
          .putInt(12, place[1]);
      assertRefused(image(zboot), "holds no compressed kernel");
    }
  }

  @Test
  void refusesAnUnknownCompression() throws IOException {
    byte[] lzma = {0x5d, 0, 0, (byte) 0x80, 0, -1, -1, -1, -1};
    assertRefused(image(Arm64Images.zboot(lzma, "lzma")), "compressed in another way");
  }

  @Test
  void refusesAFooterThatSaysTheKernelIsLonger() throws Exception {
    byte[] packed = pack(Arm64Images.image(5000), "gzip -n");
    for (long size : new long[] {packed.length + 65, Long.MIN_VALUE, 3}) {
      byte[] footer = new AvbFooter(size, 0, 0).encode();
      byte[] signed = Arrays.copyOf(packed, packed.length + footer.length);
      System.arraycopy(footer, 0, signed, packed.length, footer.length);
      assertRefused(image(signed), "its footer says that it has " + Long.toUnsignedString(size));
    }
  }

  @Test
  void stopsUnpackingAtTheLimit() throws Exception {
    byte[] packed = pack(Arm64Images.image(SIZE), "gzip -n");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long total =
        KernelFormat.ARM64.unpack(
            folder, Compression.GZIP, new ByteArrayInputStream(packed), SIZE - 1, out);
    assertThat(total).isGreaterThan(SIZE - 1);
    assertThat(out.size()).isLessThan(SIZE);
  }
}
