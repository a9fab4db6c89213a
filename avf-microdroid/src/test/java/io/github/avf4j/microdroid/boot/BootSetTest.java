package io.github.avf4j.microdroid.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Vectors;
import io.github.avf4j.microdroid.image.ImageException;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class BootSetTest {
  private static final byte[] KERNEL = "a kernel, a kernel, a kernel".getBytes();

  @TempDir Path folder;

  private static ImageSource text(String text) {
    return ImageSource.of(text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] packed(String compression) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    switch (compression) {
      case "gzip" -> {
        try (OutputStream gzip = new GZIPOutputStream(out)) {
          gzip.write(KERNEL);
        }
      }
      case "xz" -> {
        try (OutputStream xz = new XZOutputStream(out, new LZMA2Options(0))) {
          xz.write(KERNEL);
        }
      }
      case "zstd" -> out.write(Zstd.compress(KERNEL));
      case "lz4" -> {
        // The legacy frame with one block of literals alone.
        out.write(new byte[] {2, 0x21, 0x4c, 0x18, (byte) (KERNEL.length + 2), 0, 0, 0});
        out.write(new byte[] {(byte) 0xf0, (byte) (KERNEL.length - 15)});
        out.write(KERNEL);
      }
      default -> out.write(KERNEL);
    }
    return out.toByteArray();
  }

  private Path boot(byte[] kernel, String ramdisk) throws Exception {
    Path file = folder.resolve("boot.img");
    new BootImageBuilder(4)
        .kernel(ImageSource.of(kernel))
        .ramdisk(text(ramdisk))
        .commandLine("boot=1")
        .write(file);
    return file;
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "lz4", "xz", "zstd", "none"})
  void unpacksKernels(String compression) throws Exception {
    Path boot = boot(packed(compression), "");
    try (BootSet set = BootSet.open(boot, null, null)) {
      set.writeKernel(folder.resolve("kernel"));
    }
    assertThat(folder.resolve("kernel")).hasBinaryContent(KERNEL);
    assertThat(KernelContent.compression(ImageSource.of(packed(compression))).orElse("none"))
        .isEqualTo(compression);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "lz4", "xz", "zstd"})
  void refusesDamagedKernels(String compression) throws Exception {
    byte[] cut = java.util.Arrays.copyOf(packed(compression), packed(compression).length - 6);
    try (BootSet set = BootSet.open(boot(cut, ""), null, null)) {
      assertThatThrownBy(() -> set.writeKernel(folder.resolve("kernel")))
          .isInstanceOf(ImageException.class)
          .hasMessageContaining("damaged");
    }
    assertThat(Files.exists(folder.resolve("kernel"))).isFalse();
  }

  @Test
  void joinsRamdisksInTheOrderOfTheBootLoader() throws Exception {
    Path initBoot = folder.resolve("init_boot.img");
    new BootImageBuilder(4).ramdisk(text("GENERIC")).write(initBoot);
    Path vendorBoot = folder.resolve("vendor_boot.img");
    new VendorBootImageBuilder(4)
        .ramdisk(text("PLATFORM"), VendorRamdisk.Type.PLATFORM, "p")
        .ramdisk(text("RECOVERY"), VendorRamdisk.Type.RECOVERY, "r")
        .ramdisk(text("DLKM"), VendorRamdisk.Type.DLKM, "d")
        .commandLine("vendor=1")
        .bootconfig("a=1\n")
        .write(vendorBoot);
    Path initrd = folder.resolve("initrd");
    try (BootSet set = BootSet.open(boot(KERNEL, "OLD"), initBoot, vendorBoot)) {
      set.writeInitrd(initrd, "b=2\n");
      assertThat(set.commandLine(false)).isEqualTo("vendor=1 boot=1 bootconfig");
    }
    byte[] bytes = Files.readAllBytes(initrd);
    assertThat(new String(bytes, StandardCharsets.ISO_8859_1)).startsWith("PLATFORMDLKMGENERICa=1");
    assertThat(Bootconfig.find(ImageSource.of(bytes)))
        .contains(new Bootconfig("a=1\nb=2\n", "PLATFORMDLKMGENERIC".length()));
  }

  @Test
  void joinsATrailerThatIsThereAlready() throws Exception {
    Path file = folder.resolve("boot.img");
    new BootImageBuilder(4)
        .kernel(ImageSource.of(KERNEL))
        .ramdisk(ImageSource.of(Vectors.bytes("bootconfig-trailer.bin")))
        .write(file);
    Path initrd = folder.resolve("initrd");
    try (BootSet set = BootSet.open(file, null, null)) {
      set.writeInitrd(initrd, "x=1\n");
      assertThat(set.commandLine(true)).isEqualTo("bootconfig");
    }
    assertThat(Bootconfig.find(ImageSource.of(Files.readAllBytes(initrd))).orElseThrow().text())
        .isEqualTo("androidboot.sample = 1\nkernel.console=ttynull\nx=1\n");
  }

  @Test
  void insistsOnAKernel() throws Exception {
    Path initBoot = folder.resolve("init_boot.img");
    new BootImageBuilder(4).ramdisk(text("GENERIC")).write(initBoot);
    assertThatThrownBy(() -> BootSet.open(initBoot, null, null))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("no kernel");
  }

  @Test
  void makesTheTrailerOfTheVector() throws Exception {
    byte[] vector = Vectors.bytes("bootconfig-trailer.bin");
    Bootconfig found = Bootconfig.find(ImageSource.of(vector)).orElseThrow();
    assertThat(found)
        .isEqualTo(new Bootconfig("androidboot.sample = 1\nkernel.console=ttynull\n", 6));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write("INITRD".getBytes());
    out.write(
        Bootconfig.trailer(6, List.of("androidboot.sample = 1\n", "kernel.console=ttynull\n")));
    assertThat(out.toByteArray()).isEqualTo(vector);
  }

  @Test
  void refusesTrailersThatLie() throws Exception {
    byte[] sum = Vectors.bytes("bootconfig-trailer.bin");
    sum[10] ^= 1;
    assertThatThrownBy(() -> Bootconfig.find(ImageSource.of(sum)))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("the sum");
    byte[] size = Vectors.bytes("bootconfig-trailer.bin");
    size[size.length - 17] = 1;
    assertThatThrownBy(() -> Bootconfig.find(ImageSource.of(size)))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("before the trailer");
    assertThat(Bootconfig.find(ImageSource.of(new byte[40]))).isEqualTo(Optional.empty());
  }
}
