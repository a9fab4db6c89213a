package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.boot.BootImageBuilder;
import io.github.avf4j.microdroid.boot.VendorBootImageBuilder;
import io.github.avf4j.microdroid.boot.VendorRamdisk;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImageCommandsTest extends CommandTest {
  private static final String[] VECTORS = {
    "composite.img",
    "composite-header.bin",
    "composite-footer.bin",
    "zero.img",
    "metadata-binary.bin",
    "small-ec.apk",
    "small-ec.apk.unsigned.idsig",
    "encryptedstore-empty.img"
  };

  /** One image of each format, and damaged ones. */
  @BeforeEach
  void makeImages() throws Exception {
    for (String name : VECTORS) {
      copy("api/" + name, name);
    }
    copy("api/instance.img", "instance.img");
    ImageSource kernel = ImageSource.of("a kernel".getBytes());
    ImageSource ramdisk = ImageSource.of("a ramdisk".getBytes());
    new BootImageBuilder(4)
        .kernel(kernel)
        .ramdisk(ramdisk)
        .commandLine("quiet \u001b[31m")
        .write(folder.resolve("boot.img"));
    new VendorBootImageBuilder(4)
        .ramdisk(ramdisk, VendorRamdisk.Type.DLKM, "modules")
        .bootconfig("a=1\n")
        .write(folder.resolve("vendor_boot.img"));
    Path tree = Files.createDirectories(folder.resolve("tree/sub"));
    Files.writeString(tree.resolve("file"), "content");
    byte[] content = new byte[100_000];
    new Random(1).nextBytes(content);
    Arrays.fill(content, 10_000, 90_000, (byte) 0);
    Files.write(folder.resolve("raw.bin"), content);
    Files.createFile(folder.resolve("empty"));
    assertThat(run("image make --format erofs %tree %tree.erofs")).as(err.toString()).isZero();
    assertThat(run("image make --format sparse --checksum %raw.bin %raw.simg")).isZero();
    assertThat(run("image make --format raw %composite.img %flat.img")).isZero();
    damage("raw.simg", 100, "bad.simg");
    damage("tree.erofs", 1100, "bad.erofs");
    damage("boot.img", 41, "bad-boot.img");
    damage("vendor_boot.img", 2112, "bad-vendor_boot.img");
    damage("flat.img", 1100, "bad-flat.img");
  }

  private void copy(String vector, String name) throws Exception {
    try (InputStream in = getClass().getResourceAsStream("/vectors/" + vector)) {
      Files.copy(in, folder.resolve(name));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "composite.img|composite disk|small-ec.apk.unsigned.idsig",
        "raw.simg|sparse image|content size",
        "boot.img|boot image|command line",
        "vendor_boot.img|vendor boot image|dlkm modules",
        "tree.erofs|EROFS image|checksum",
        "instance.img|instance image|microdroid",
        "encryptedstore-empty.img|encrypted store image|4096",
        "flat.img|partition table|microdroid-apk"
      })
  void showsAndVerifies(String file, String format, String detail) {
    assertThat(run("image info %" + file)).as(err.toString()).isZero();
    assertThat(out.toString()).contains(format).contains(detail).doesNotContain("\u001b");
    assertThat(run("image verify %" + file)).as(err.toString()).isZero();
    assertThat(out.toString()).contains("valid " + format);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "image verify %bad.simg|checksum of the content",
        "image info %bad.erofs|checksum of the superblock",
        "image info %bad-boot.img|version",
        "image verify %bad-vendor_boot.img|table",
        "image verify %bad-flat.img|checksum",
        "image info %raw.bin|format is not known",
        "disk info %raw.bin|no partition table",
        "disk info %bad-flat.img|checksum",
        "disk compose %d.img --partition a=%metadata-binary.bin|multiple of 4096",
        "disk compose %d.img --partition a=%zero.img --partition a=%zero.img|two partitions",
        "disk compose %d.img --partition a=%composite.img:ro|give a raw or sparse image",
        "image make --format sparse --block-size 6 %raw.bin %x|multiple of 4"
      })
  void refusesWithTheReason(String line, String reason) {
    assertThat(run(line)).as(out.toString()).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).startsWith("avf: refused: ").contains(reason);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "image info",
        "image info %missing",
        "image info %empty",
        "image info %tree",
        "image verify %missing",
        "image verify %empty",
        "image make --format ext4 %tree %x",
        "image make --format erofs %missing %x",
        "image make --format erofs %raw.bin %x",
        "image make --format erofs %tree %tree/x",
        "image make --format erofs --owner root %tree %x",
        "image make --format sparse %tree %x",
        "image make --format sparse %empty %x",
        "image make --format sparse %raw.bin %missing/x",
        "image make --format sparse %raw.bin %tree",
        "disk compose %d.img",
        "disk compose %d.img --partition a",
        "disk compose %d.img --partition a=%missing",
        "disk compose %d.img --partition a=%empty:ro",
        "disk info %missing",
        "disk info %empty"
      })
  void saysWhatCannotBeUsed(String line) {
    assertThat(run(line)).as(out.toString()).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).startsWith("avf: ");
    assertThat(folder.resolve("x")).doesNotExist();
    assertThat(folder.resolve("d.img")).doesNotExist();
  }

  @Test
  void saysWhichComponentIsMissing() throws Exception {
    Files.delete(folder.resolve("small-ec.apk"));
    assertThat(run("image verify %composite.img")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).contains("small-ec.apk does not exist");
  }

  @Test
  void composesADiskThatItShows() {
    String line = "disk compose --reproducible %d.img --partition data=%zero.img";
    // The filler has the name of the partition's file.
    assertThat(run(line)).isEqualTo(ExitCode.REFUSED);
    assertThat(
            run(
                "disk compose --reproducible %d.img --partition apk=%small-ec.apk:ro"
                    + " --partition store=%encryptedstore-empty.img"))
        .as(err.toString())
        .isZero();
    assertThat(run("disk info %d.img")).isZero();
    assertThat(out.toString()).contains("composite disk", "apk", "store");
    assertThat(run("image verify %d.img")).isZero();
    assertThat(out.toString()).contains("both tables agree on 2 partitions");
  }

  @Test
  void expandsWhatItMadeSparse() throws Exception {
    assertThat(run("image make --format raw %raw.simg %raw.again")).isZero();
    byte[] content = Files.readAllBytes(folder.resolve("raw.bin"));
    assertThat(folder.resolve("raw.again"))
        .hasBinaryContent(Arrays.copyOf(content, (content.length + 4095) / 4096 * 4096));
  }

  @Test
  void leavesNothingOnAFullDisk() throws Exception {
    Path small = Files.createDirectory(folder.resolve("small"));
    Process mount =
        new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=16k", "none", small.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(mount.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assumeTrue(mount.exitValue() == 0, "cannot mount a small file system here");
    try {
      assertThat(run("image make --format sparse %small-ec.apk %small/x")).isEqualTo(2);
      assertThat(err.toString()).contains("No space left");
      assertThat(run("disk compose %small/d.img --partition a=%small-ec.apk:ro")).isEqualTo(2);
      try (var files = Files.list(small)) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .doesNotContain("x", "d.img")
            .noneMatch(name -> name.endsWith(".part"));
      }
    } finally {
      assertThat(new ProcessBuilder("umount", small.toString()).start().waitFor()).isZero();
    }
  }

  @Test
  void leavesNoImageWhenItIsKilled() throws Exception {
    Path big = folder.resolve("big");
    try (FileChannel channel =
        FileChannel.open(big, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(java.nio.ByteBuffer.allocate(1), 1L << 40);
    }
    Path image = folder.resolve("big.simg");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "io.github.avf4j.cli.AvfCommand",
                "image",
                "make",
                "--format=sparse",
                "--block-size=65536",
                big.toString(),
                image.toString())
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      boolean begun = false;
      for (int i = 0; i < 300 && !begun && process.isAlive(); i++) {
        Thread.sleep(100);
        try (var files = Files.list(folder)) {
          begun = files.anyMatch(file -> file.toString().endsWith(".part"));
        }
      }
      assertThat(begun).isTrue();
    } finally {
      process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
    }
    assertThat(image).doesNotExist();
    assertThat(run("image make --format sparse %raw.bin %big.simg")).as(err.toString()).isZero();
    try (var files = Files.list(folder)) {
      assertThat(files)
          .as("the next one tidies up")
          .noneMatch(file -> file.toString().endsWith(".part"));
    }
  }

  @Test
  void drawsABarWhereATerminalIs() {
    StringWriter text = new StringWriter();
    try (ProgressBar bar = new ProgressBar(new PrintWriter(text), "writing", true)) {
      bar.show(50, 100);
      assertThat(text.toString())
          .isEqualTo("\rwriting [" + "#".repeat(15) + " ".repeat(15) + "]  50 %");
    }
    assertThat(text.toString()).endsWith("\r\u001b[K");
    StringWriter nothing = new StringWriter();
    try (ProgressBar bar = new ProgressBar(new PrintWriter(nothing), "writing", false)) {
      bar.at(1, 2);
    }
    assertThat(nothing.toString()).isEmpty();
  }
}
