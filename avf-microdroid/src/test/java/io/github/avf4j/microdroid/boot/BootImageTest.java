package io.github.avf4j.microdroid.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Foreign;
import io.github.avf4j.microdroid.image.ImageException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BootImageTest {
  @TempDir Path folder;

  private static byte[] bytes(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private Path file(String name, byte[] content) throws Exception {
    return Files.write(folder.resolve(name), content);
  }

  private static byte[] all(ImagePart part, byte[] image) {
    return Arrays.copyOfRange(image, (int) part.offset(), (int) (part.offset() + part.size()));
  }

  private byte[] boot(int version) throws Exception {
    BootImageBuilder builder =
        new BootImageBuilder(version)
            .kernel(ImageSource.of(bytes(1, 10000)))
            .ramdisk(ImageSource.of(bytes(2, 4096)))
            .commandLine("console=hvc0 panic=-1")
            .osVersion(new OsVersion(14, 0, 1, 2024, 5));
    if (version == 4) {
      builder.signature(ImageSource.of(bytes(3, 4096)));
    }
    Path file = folder.resolve("boot" + version + ".img");
    builder.write(file);
    return Files.readAllBytes(file);
  }

  private byte[] vendorBoot(int version) throws Exception {
    VendorBootImageBuilder builder =
        new VendorBootImageBuilder(version)
            .ramdisk(
                ImageSource.of(bytes(4, 5000)),
                VendorRamdisk.Type.PLATFORM,
                version == 3 ? "" : "base")
            .dtb(ImageSource.of(bytes(6, 3000)))
            .commandLine("androidboot.hardware=test")
            .name("board")
            .pageSize(4096);
    if (version == 4) {
      builder
          .ramdisk(ImageSource.of(bytes(5, 100)), VendorRamdisk.Type.RECOVERY, "recovery")
          .ramdisk(ImageSource.of(bytes(7, 200)), VendorRamdisk.Type.DLKM, "modules")
          .bootconfig("androidboot.serialno=\"1\"\n");
    }
    Path file = folder.resolve("vendor_boot" + version + ".img");
    builder.write(file);
    return Files.readAllBytes(file);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4})
  void readsWhatItWrites(int version) throws Exception {
    byte[] file = boot(version);
    BootImage image = BootImage.read(ImageSource.of(file));
    assertThat(image.version()).isEqualTo(version);
    assertThat(image.commandLine()).isEqualTo("console=hvc0 panic=-1");
    assertThat(image.osVersion()).hasToString("14.0.1 2024-05");
    assertThat(all(image.kernel(), file)).isEqualTo(bytes(1, 10000));
    assertThat(all(image.ramdisk(), file)).isEqualTo(bytes(2, 4096));
    assertThat(image.signature().size()).isEqualTo(version == 4 ? 4096 : 0);
    assertThat(image.end()).isEqualTo(file.length);
    assertThat(image.isInitBoot()).isFalse();
  }

  @Test
  void readsVersionFourWithItsTable() throws Exception {
    byte[] file = vendorBoot(4);
    VendorBootImage image = VendorBootImage.read(ImageSource.of(file));
    assertThat(image.ramdisks())
        .extracting(VendorRamdisk::name)
        .containsExactly("base", "recovery", "modules");
    assertThat(all(image.ramdisks().get(1).part(), file)).isEqualTo(bytes(5, 100));
    assertThat(all(image.dtb(), file)).isEqualTo(bytes(6, 3000));
    assertThat(new String(all(image.bootconfig(), file))).isEqualTo("androidboot.serialno=\"1\"\n");
    assertThat(image.end()).isEqualTo(file.length);
  }

  @Test
  void writesWhatMkbootimgWrites() throws Exception {
    Path foreign = folder.resolve("foreign.img");
    Foreign.run(
        "mkbootimg",
        "mkbootimg",
        "--header_version=3",
        "--kernel=" + file("k", bytes(1, 10000)),
        "--ramdisk=" + file("r", bytes(2, 4096)),
        "--cmdline=console=hvc0 panic=-1",
        "--os_version=14.0.1",
        "--os_patch_level=2024-05",
        "--output=" + foreign);
    // Debian's version still has the size that Android 11 wrote.
    assertThat(patched(boot(3), 20, 1596)).isEqualTo(Files.readAllBytes(foreign));
    assertThat(BootImage.read(ImageSource.of(Files.readAllBytes(foreign))).version()).isEqualTo(3);
    Path vendor = folder.resolve("vendor.img");
    Foreign.run(
        "mkbootimg",
        "mkbootimg",
        "--header_version=3",
        "--vendor_ramdisk=" + file("v", bytes(4, 5000)),
        "--dtb=" + file("d", bytes(6, 3000)),
        "--vendor_cmdline=androidboot.hardware=test",
        "--board=board",
        "--pagesize=4096",
        "--vendor_boot=" + vendor);
    assertThat(patched(vendorBoot(3), 2096, 2108)).isEqualTo(Files.readAllBytes(vendor));
    assertThat(VendorBootImage.read(ImageSource.of(Files.readAllBytes(vendor))).name())
        .isEqualTo("board");
  }

  @ParameterizedTest
  @CsvSource({"0, 2048", "1, 4096", "2, 2048"})
  void readsWhatMkbootimgWritesInOldVersions(int version, int pageSize) throws Exception {
    Path foreign = folder.resolve("foreign.img");
    java.util.ArrayList<Object> arguments =
        new java.util.ArrayList<>(
            List.of(
                "--header_version=" + version,
                "--pagesize=" + pageSize,
                "--kernel=" + file("k", bytes(1, 10000)),
                "--ramdisk=" + file("r", bytes(2, 100)),
                "--second=" + file("s", bytes(3, 50)),
                "--cmdline=" + "x".repeat(600),
                "--board=name",
                "--output=" + foreign));
    if (version > 1) {
      arguments.add("--dtb=" + file("d", bytes(5, 80)));
    }
    Foreign.run("mkbootimg", "mkbootimg", arguments.toArray());
    byte[] file = Files.readAllBytes(foreign);
    BootImage image = BootImage.read(ImageSource.of(file));
    assertThat(image.pageSize()).isEqualTo(pageSize);
    assertThat(image.name()).isEqualTo("name");
    assertThat(image.commandLine()).hasSizeGreaterThan(590);
    assertThat(all(image.kernel(), file)).isEqualTo(bytes(1, 10000));
    assertThat(all(image.second(), file)).isEqualTo(bytes(3, 50));
    assertThat(image.recoveryDtbo().isEmpty()).isTrue();
    assertThat(all(image.dtb(), file)).isEqualTo(version > 1 ? bytes(5, 80) : new byte[0]);
  }

  @Test
  void findsTheOverlayOfRecoveryWhereTheHeaderSays() throws Exception {
    byte[] image = new byte[3 * 2048];
    System.arraycopy("ANDROID!".getBytes(), 0, image, 0, 8);
    patched(image, 8, 5);
    patched(image, 36, 2048);
    patched(image, 40, 1);
    patched(image, 1632, 70);
    patched(image, 1636, 4096);
    patched(image, 1644, 1648);
    assertThat(BootImage.read(ImageSource.of(image)).recoveryDtbo())
        .isEqualTo(new ImagePart(4096, 70));
    assertRefused(patched(image, 1636, 2048), "must be at byte 4096");
  }

  @Test
  void isUnpackedByUnpackBootimg() throws Exception {
    for (int version : new int[] {3, 4}) {
      boot(version);
      vendorBoot(version);
      for (String name : new String[] {"boot", "vendor_boot"}) {
        Path out = folder.resolve(name + version);
        Foreign.run(
            "mkbootimg",
            "unpack_bootimg",
            "--boot_img",
            folder.resolve(name + version + ".img"),
            "--out",
            out);
      }
      assertThat(folder.resolve("boot" + version + "/kernel")).hasBinaryContent(bytes(1, 10000));
      assertThat(folder.resolve("vendor_boot" + version + "/dtb")).hasBinaryContent(bytes(6, 3000));
    }
  }

  @Test
  void knowsAnInitBootImage() throws Exception {
    Path file = folder.resolve("init_boot.img");
    new BootImageBuilder(4).ramdisk(ImageSource.of(bytes(1, 10))).write(file);
    assertThat(BootImage.read(ImageSource.of(Files.readAllBytes(file))).isInitBoot()).isTrue();
  }

  @Test
  void refusesPartsBeyondTheImageOrItsFooter() throws Exception {
    byte[] file = boot(3);
    assertRefused(Arrays.copyOf(file, file.length - 4096), "the ramdisk has 4096 bytes");
    byte[] footed = Arrays.copyOf(file, file.length + 4096);
    byte[] footer = new AvbFooter(file.length, file.length, 0).encode();
    System.arraycopy(footer, 0, footed, footed.length - footer.length, footer.length);
    assertThat(BootImage.read(ImageSource.of(footed)).version()).isEqualTo(3);
    footer = new AvbFooter(8192, 8192, 0).encode();
    System.arraycopy(footer, 0, footed, footed.length - footer.length, footer.length);
    assertRefused(footed, "the image ends at 8192");
    footer = new AvbFooter(-1, 8192, 0).encode();
    System.arraycopy(footer, 0, footed, footed.length - footer.length, footer.length);
    assertRefused(footed, "the AVB footer says");
  }

  @Test
  void refusesHeadersThatContradictThemselves() throws Exception {
    assertRefused(patched(boot(3), 40, 5), "version 5 is unknown");
    assertRefused(patched(boot(3), 20, 1584), "has 1580 bytes but says 1584");
    assertRefused(patched(boot(4), 1580, -1), "the boot signature has 4294967295 bytes");
    assertRefused(patched(boot(3), 0, 0), "magic");
    assertRefused(patched(boot(3), 40, 0), "page size");
    assertVendorRefused(patched(vendorBoot(4), 2120, 107), "108 bytes");
    assertVendorRefused(patched(vendorBoot(4), 2116, 2), "not 2 entries");
    assertVendorRefused(patched(vendorBoot(4), 2116, 0x40000001), "entries of 108");
    assertVendorRefused(patched(vendorBoot(4), 12, 0), "page size");
    byte[] image = vendorBoot(4);
    int table = find(image, "base".getBytes()) - 12;
    assertVendorRefused(patched(vendorBoot(4), table + 4, 1000), "of a section of");
    assertVendorRefused(patched(vendorBoot(4), table + 8, 4), "type 4 is unknown");
  }

  private static int find(byte[] bytes, byte[] wanted) {
    for (int i = 0; ; i++) {
      if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
  }

  private static byte[] patched(byte[] image, int at, int value) {
    ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
    return image;
  }

  private static void assertRefused(byte[] image, String reason) {
    assertThatThrownBy(() -> BootImage.read(ImageSource.of(image)))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining("at byte");
  }

  private static void assertVendorRefused(byte[] image, String reason) {
    assertThatThrownBy(() -> VendorBootImage.read(ImageSource.of(image)))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining("at byte");
  }

  @Test
  void refusesTextsThatDoNotFit() {
    assertThatThrownBy(
            () -> new BootImageBuilder(4).commandLine("x".repeat(1536)).write(folder.resolve("x")))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("does not fit into 1536");
  }
}
