package io.github.avf4j.microdroid.erofs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Foreign;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ErofsWriterTest {
  @TempDir Path folder;

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  /** Every size around the borders of blocks, many names, links of all kinds. */
  private Path sample() throws IOException {
    Path root = Files.createDirectory(folder.resolve("root"));
    int[] sizes = {0, 1, 2000, 2048, 2049, 4063, 4064, 4065, 4095, 4096, 4097, 8191, 8192, 70000};
    for (int size : sizes) {
      Files.write(root.resolve("f" + size), bytes(size));
    }
    Path many = Files.createDirectory(root.resolve("many"));
    for (int i = 0; i < 1000; i++) {
      Files.writeString(many.resolve("a rather long name for a file, number " + i), "x" + i);
    }
    Files.createDirectory(root.resolve("empty"));
    Path deep = Files.createDirectories(root.resolve("a/b/c/d"));
    Files.writeString(deep.resolve("n".repeat(255)), "long");
    Files.writeString(root.resolve("!first"), "sorts before the dots");
    Files.createLink(root.resolve("hard"), root.resolve("f4097"));
    Files.createSymbolicLink(root.resolve("soft"), Path.of("a/b"));
    Files.createSymbolicLink(root.resolve("a/absolute"), Path.of("/nowhere/at all"));
    Files.createSymbolicLink(root.resolve("long"), Path.of("t".repeat(4000)));
    Files.setPosixFilePermissions(root.resolve("f1"), PosixFilePermissions.fromString("r-xr-x---"));
    Files.setAttribute(root.resolve("f2000"), "unix:mode", 04755);
    return root;
  }

  private Path image(Path root) throws IOException {
    Path image = folder.resolve("image.erofs");
    new ErofsWriter(1_600_000_000, "system").write(ErofsTree.of(root), image, Progress.NONE);
    return image;
  }

  private static ImageSource read(Path image) throws IOException {
    return ImageSource.of(Files.readAllBytes(image));
  }

  @Test
  void readsWhatItWrites() throws Exception {
    Path root = sample();
    ErofsImage image = ErofsImage.open(read(image(root)));
    assertThat(image.superblock().label()).isEqualTo("system");
    assertThat(image.superblock().hasChecksum()).isTrue();
    ErofsImage.Content content = image.verify();
    assertThat(content.directories()).isEqualTo(7);
    assertThat(content.files()).isEqualTo(14 + 1000 + 2);
    assertThat(content.symlinks()).isEqualTo(3);
    for (String name : new String[] {"f0", "f4063", "f4064", "f4095", "f4096", "f70000"}) {
      ErofsInode inode = image.find("/" + name).orElseThrow();
      ImageSource data = image.data(inode);
      assertThat(data.readRange(0, (int) data.size()))
          .isEqualTo(Files.readAllBytes(root.resolve(name)));
    }
    assertThat(image.find("hard").orElseThrow().links()).isEqualTo(2);
    assertThat(image.find("f2000").orElseThrow().mode()).isEqualTo(0104755);
    assertThat(image.find("f1").orElseThrow().mtime()).isEqualTo(1_600_000_000);
    assertThat(image.find("a/b/c/d/" + "n".repeat(255))).isPresent();
    assertThat(image.find("a/none")).isEmpty();
    ImageSource target = image.data(image.find("soft").orElseThrow());
    assertThat(new String(target.readRange(0, (int) target.size()))).isEqualTo("a/b");
  }

  @Test
  void isAcceptedByFsckAndDump() throws Exception {
    Path image = image(sample());
    assertThat(Foreign.run("erofs-utils", "fsck.erofs", image)).doesNotContainIgnoringCase("err");
    assertThat(Foreign.run("erofs-utils", "dump.erofs", "-s", image))
        .contains("Filesystem inode count:                       1026")
        .contains("Filesystem created:                           Sun Sep 13");
    assertThat(Foreign.run("erofs-utils", "dump.erofs", "--path=/hard", image))
        .contains("Size: 4097")
        .contains("Links: 2");
  }

  @Test
  void isExtractedByFsckWithTheSameContent() throws Exception {
    Path root = sample();
    Path out = folder.resolve("out");
    Foreign.run("erofs-utils", "fsck.erofs", "--extract=" + out, image(root));
    // Its version of Debian 12 makes no hard links; content and types are what counts here.
    Foreign.run("diffutils", "diff", "-r", "--no-dereference", root, out);
    assertThat(Files.readSymbolicLink(out.resolve("long")).toString()).hasSize(4000);
  }

  @Test
  void isMountedByTheKernel() throws Exception {
    Path root = sample();
    Path image = image(root);
    Path mount = Files.createDirectory(folder.resolve("mnt"));
    Foreign.Result mounted =
        Foreign.tryRun("mount", "mount", "-t", "erofs", "-o", "ro,loop", image, mount);
    assumeTrue(mounted.exitCode() == 0, "cannot mount here: " + mounted.output());
    try {
      Foreign.run("diffutils", "diff", "-r", "--no-dereference", root, mount);
      assertThat(Files.getAttribute(mount.resolve("hard"), "unix:nlink")).isEqualTo(2);
      assertThat(Files.getAttribute(mount.resolve("f2000"), "unix:mode")).isEqualTo(0104755);
      assertThat(Files.getAttribute(mount.resolve("f2000"), "unix:uid")).isEqualTo(0);
    } finally {
      Foreign.run("mount", "umount", mount);
    }
  }

  @Test
  void readsWhatMkfsWrites() throws Exception {
    Path root = sample();
    // The tool of Debian 12 fails for names as long as they may be.
    Files.delete(root.resolve("a/b/c/d/" + "n".repeat(255)));
    Path image = folder.resolve("foreign.erofs");
    Foreign.run("erofs-utils", "mkfs.erofs", "-T0", image, root);
    ErofsImage foreign = ErofsImage.open(read(image));
    assertThat(foreign.verify().files()).isEqualTo(14 + 1000 + 1);
    ImageSource data = foreign.data(foreign.find("f8191").orElseThrow());
    assertThat(data.readRange(0, 8191)).isEqualTo(bytes(8191));
  }

  @Test
  void makesTheSameBytesWhateverTheOrderOfCreation() throws Exception {
    Path[] images = new Path[2];
    for (int i = 0; i < 2; i++) {
      Path root = Files.createDirectory(folder.resolve("r" + i));
      for (int j = 0; j < 50; j++) {
        int k = i == 0 ? j : 49 - j;
        Files.write(root.resolve("name" + k), bytes(k * 100));
        Files.createSymbolicLink(root.resolve("link" + k), Path.of("name" + k));
      }
      images[i] = folder.resolve(i + ".erofs");
      new ErofsWriter().write(ErofsTree.of(root), images[i], Progress.NONE);
    }
    assertThat(images[0]).hasSameBinaryContentAs(images[1]);
  }

  @Test
  void makesAnImageOfATreeInMemoryTwice() throws Exception {
    ErofsTree tree =
        new ErofsTree()
            .folder("system", 0755, 0, 0)
            .folder("system/bin", 0751, 0, 2000)
            .file("system/bin/init", bytes(9000), 0750, 70_000, 80_000)
            .symlink("bin", "/system/bin", 0, 0);
    Path a = folder.resolve("a");
    Path b = folder.resolve("b");
    new ErofsWriter().write(tree, a, Progress.NONE);
    new ErofsWriter().write(tree, b, Progress.NONE);
    assertThat(a).hasSameBinaryContentAs(b);
    ErofsImage image = ErofsImage.open(read(a));
    ErofsInode init = image.find("system/bin/init").orElseThrow();
    assertThat(init.extended()).isTrue();
    assertThat(init.uid()).isEqualTo(70_000);
    assertThat(init.gid()).isEqualTo(80_000);
    assertThat(image.find("system").orElseThrow().links()).isEqualTo(3);
    Foreign.run("erofs-utils", "fsck.erofs", a);
    assertThatThrownBy(() -> tree.folder("system", 0755, 0, 0)).hasMessageContaining("already");
    assertThatThrownBy(() -> tree.folder("x/y", 0755, 0, 0)).hasMessageContaining("no folder");
    assertThatThrownBy(() -> tree.folder("..", 0755, 0, 0)).hasMessageContaining("name");
  }

  @Test
  void keepsNamesThatAreNoText() throws Exception {
    Path root = Files.createDirectory(folder.resolve("root"));
    Path script = folder.resolve("make.sh");
    Files.writeString(
        script,
        "cd "
            + root
            + "\ntouch \"$(printf 'a\\377b')\" 'ä %41'\n"
            + "ln -s \"$(printf 't\\376')\" link\nmkdir d; ln -s d l; ln -s d/ m\n");
    Foreign.run("dash", "sh", script);
    Path image = image(root);
    byte[] bytes = Files.readAllBytes(image);
    assertThat(ErofsImage.open(read(image)).verify().files()).isEqualTo(2);
    assertThat(contains(bytes, new byte[] {'a', (byte) 0xff, 'b'})).isTrue();
    assertThat(contains(bytes, new byte[] {'t', (byte) 0xfe})).isTrue();
    assertThat(contains(bytes, "ä %41".getBytes("UTF-8"))).isTrue();
    ErofsImage read = ErofsImage.open(read(image));
    assertThat(read.find("link").orElseThrow().size()).isEqualTo(2);
    assertThat(read.find("l").orElseThrow().size()).isEqualTo(1);
    assertThat(read.find("m").orElseThrow().size()).isEqualTo(2);
    Foreign.run("erofs-utils", "fsck.erofs", image);
  }

  private static boolean contains(byte[] bytes, byte[] wanted) {
    ByteBuffer all = ByteBuffer.wrap(bytes);
    for (int i = 0; i <= bytes.length - wanted.length; i++) {
      if (all.slice(i, wanted.length).equals(ByteBuffer.wrap(wanted))) {
        return true;
      }
    }
    return false;
  }

  @Test
  void refusesAFifoByName() throws Exception {
    Path root = Files.createDirectory(folder.resolve("root"));
    Foreign.run("coreutils", "mkfifo", root.resolve("pipe"));
    assertThatThrownBy(() -> ErofsTree.of(root))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("pipe is a device, a FIFO or a socket");
  }

  @Test
  void leavesNothingWhenAFileGrowsMeanwhile() throws Exception {
    Path root = Files.createDirectory(folder.resolve("root"));
    Files.write(root.resolve("f"), bytes(5000));
    ErofsTree tree = ErofsTree.of(root);
    Files.write(root.resolve("f"), bytes(6000));
    Path image = folder.resolve("image");
    assertThatThrownBy(() -> new ErofsWriter().write(tree, image, Progress.NONE))
        .hasMessageContaining("changed its length");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(root);
    }
  }

  @Test
  void refusesDamagedImages() throws Exception {
    byte[] image = Files.readAllBytes(image(sample()));
    for (int at : new int[] {1024, 1030, 1036, 1060, 2000}) {
      image[at] ^= 1;
      assertThatThrownBy(() -> ErofsImage.open(ImageSource.of(image)))
          .as("byte %d", at)
          .isInstanceOf(ImageException.class);
      image[at] ^= 1;
    }
    assertThatThrownBy(() -> ErofsImage.open(ImageSource.of(java.util.Arrays.copyOf(image, 8192))))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("blocks");
  }
}
