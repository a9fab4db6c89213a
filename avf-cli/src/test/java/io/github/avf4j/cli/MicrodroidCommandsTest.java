package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.KernelImage;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.GuestRuntime;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** {@code avf microdroid}, and what the commands for verified boot say of its output. */
class MicrodroidCommandsTest {
  private static final String BUILD =
      "microdroid build --kernel %vmlinux --modules %modules --runtime %runtime --out %base";
  private static final String VERIFY =
      "pvmfw verify --key %key.pem --kernel %base/microdroid_kernel --initrd ";
  private static final String NORMAL = "%base/microdroid_initrd_normal.img";
  private static final String DEBUGGABLE = "%base/microdroid_initrd_debuggable.img";
  private static final List<String> LIBRARIES =
      List.of(
          "ld-linux-x86-64.so.2",
          "libc.so.6",
          "libm.so.6",
          "libdl.so.2",
          "libpthread.so.0",
          "librt.so.1",
          "libgcc_s.so.1");

  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void makeInput() throws Exception {
    // A folder without any module is that of a kernel that has everything built in.
    Files.createDirectory(folder.resolve("modules"));
    Path libraries = Files.createDirectories(folder.resolve("runtime/lib64"));
    for (String name : LIBRARIES) {
      Files.write(libraries.resolve(name), elf(5000));
    }
    Files.write(folder.resolve("vmlinux"), elf(200_000));
    Files.createFile(folder.resolve("empty"));
    Files.writeString(folder.resolve("text"), "hello ".repeat(1000));
    try (InputStream in =
        BaseImage.class.getResourceAsStream(
            "/io/github/avf4j/microdroid/base/development-only-rsa4096.pem")) {
      Files.copy(in, folder.resolve("key.pem"));
    }
  }

  private static byte[] elf(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0, 0x464c457f)
        .put(4, (byte) 2)
        .putShort(18, (short) 62);
    return bytes;
  }

  /** Runs a line of words; a {@code %} stands for the test's folder. */
  private int run(String line) {
    String[] words = line.replace("%", folder + "/").split(" ");
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    CommandLine commandLine = AvfCommand.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    int code = commandLine.execute(words);
    assertThat(err.toString()).doesNotContain("\tat ").doesNotContain("Exception");
    assertThat(err.toString().isEmpty()).as("a reason unless it is good").isEqualTo(code == 0);
    return code;
  }

  private void flip(String name, int at) throws Exception {
    Path file = folder.resolve("base").resolve(name);
    byte[] bytes = Files.readAllBytes(file);
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    Files.write(file, bytes);
  }

  @Test
  void makesWhatTheFirmwareAndAvbVerify() {
    assertThat(run(BUILD)).as(err.toString()).isZero();
    assertThat(out.toString()).contains("made " + folder.resolve("base"), "development key");
    assertThat(run(VERIFY + NORMAL)).as(err.toString()).isZero();
    assertThat(out.toString())
        .contains("valid", "debuggable:     no", "secretkeeper_protection", "rollback index: 1");
    assertThat(run(VERIFY + DEBUGGABLE)).isZero();
    assertThat(out.toString()).contains("valid", "debuggable:     yes");

    String partitions =
        " --partition initrd_normal=" + NORMAL + " --partition initrd_debug=" + DEBUGGABLE;
    assertThat(run("avb verify --key %key.pem %base/microdroid_kernel" + partitions)).isZero();
    assertThat(out.toString()).contains("valid", "boot", "initrd_normal", "initrd_debug");
    assertThat(run("avb verify --key %key.pem %base/microdroid_kernel")).isEqualTo(1);
    assertThat(err.toString()).contains("there is no file \"initrd_normal\"");
    assertThat(run("avb verify %base/microdroid_kernel --partition initrd_normal=%none"))
        .isEqualTo(2);
    assertThat(run("avb verify --key %key.pem %base/microdroid_system.img")).isZero();
    assertThat(
            run(
                "avb verify --key %key.pem %base/microdroid_vbmeta.img"
                    + " --partition system=%base/microdroid_system.img"))
        .isZero();
    assertThat(run("image info %base/microdroid_system.img")).isZero();
    assertThat(out.toString()).contains("EROFS");
  }

  @ParameterizedTest
  @CsvSource({
    "microdroid_kernel, 1000, AVB_VERIFICATION",
    "microdroid_kernel, -64, AVB_INVALID_METADATA",
    "microdroid_initrd_normal.img, 1000, AVB_VERIFICATION",
    "microdroid_initrd_normal.img, -1, AVB_VERIFICATION",
  })
  void aFlippedByteIsRefusedByTheNameOfTheError(String name, int at, String error)
      throws Exception {
    assertThat(run(BUILD)).isZero();
    flip(name, at);
    assertThat(run(VERIFY + NORMAL)).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString())
        .contains(error, "PVM_FIRMWARE_PAYLOAD_VERIFICATION_FAILED")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource({
    "microdroid_system.img, 2000, hashtree of system",
    "microdroid_system.img, -10, vbmeta",
    "microdroid_vbmeta.img, 300, vbmeta",
  })
  void aFlippedByteOfTheSystemIsRefused(String name, int at, String subject) throws Exception {
    assertThat(run(BUILD)).isZero();
    flip(name, name.contains("system") && at < 0 ? at - 54 : at);
    assertThat(
            run(
                "avb verify --key %key.pem --partition system=%base/microdroid_system.img %base/"
                    + name))
        .isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains(subject);
  }

  @Test
  void signsWithTheKeyOfTheUser() throws Exception {
    pem("own.pem", 4096);
    assertThat(run(BUILD + " --key %own.pem --rollback-index 9")).as(err.toString()).isZero();
    assertThat(out.toString()).contains("signed with " + folder.resolve("own.pem"));
    assertThat(run(VERIFY + NORMAL)).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("AVB_PUBLIC_KEY_REJECTED");
    assertThat(run(VERIFY.replace("%key.pem", "%own.pem") + NORMAL)).isZero();
    assertThat(out.toString()).contains("rollback index: 9");
    assertThat(run("microdroid verify %base --key %own.pem")).as(err.toString()).isZero();
    assertThat(out.toString()).contains("rollback index 9", "valid").doesNotContain("development");
    assertThat(run("microdroid verify %base")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("is not signed with the trusted key");

    pem("small.pem", 2048);
    assertThat(run(BUILD + " --key %small.pem")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("4096");
  }

  @Test
  void verifiesTheWholeImage() throws Exception {
    assertThat(run(BUILD)).isZero();
    assertThat(run("microdroid verify %base")).as(err.toString()).isZero();
    assertThat(out.toString()).contains("(development)", "rollback index 1", "valid");
    flip("microdroid_system.img", 2000);
    assertThat(run("microdroid verify %base")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("refused: ", "microdroid_system.img", "hashtree");
    Files.delete(folder.resolve("base/microdroid_vbmeta.img"));
    assertThat(run("microdroid verify %base")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).contains("microdroid_vbmeta.img does not exist");
    assertThat(run("microdroid verify %none")).isEqualTo(ExitCode.UNUSABLE);
    assertThat(run("microdroid verify %base --key %text")).isEqualTo(ExitCode.REFUSED);
    assertThat(run("microdroid verify %base --key %none")).isEqualTo(ExitCode.UNUSABLE);
  }

  private void pem(String name, int bits) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(bits);
    String key =
        Base64.getMimeEncoder(64, new byte[] {'\n'})
            .encodeToString(generator.generateKeyPair().getPrivate().getEncoded());
    Files.writeString(
        folder.resolve(name),
        "-----BEGIN PRIVATE KEY-----\n" + key + "\n-----END PRIVATE KEY-----\n",
        StandardCharsets.US_ASCII);
  }

  @ParameterizedTest
  @CsvSource({
    "--kernel %vmlinux, --kernel %none, 2, does not exist",
    "--kernel %vmlinux, --kernel %empty, 2, is empty",
    "--kernel %vmlinux, --kernel %modules, 2, is a directory",
    "--kernel %vmlinux, --kernel %text, 1, is no kernel",
    "--modules %modules, --modules %none, 2, does not exist",
    "--modules %modules, --modules %text, 2, is not a folder",
    "--runtime %runtime, --runtime %none, 2, does not exist",
    "--runtime %runtime, --runtime %modules, 1, bin/setup",
    "--out %base, --out %runtime, 2, cannot replace",
    "--out %base, --out %text, 2, is no folder",
    "--out %base, --out %base --key %none, 2, does not exist",
    "--out %base, --out %base --key %text, 1, PEM",
    "--out %base, --out %base --rollback-index -1, 2, must not be negative",
    "--out %base, --out %base --rollback-index x, 2, --rollback-index",
    "--out %base, --out %base extra, 2, extra",
  })
  void saysWhatIsWrongWithItsInput(String option, String instead, int code, String reason) {
    assertThat(run(BUILD.replace(option, instead))).as(err.toString()).isEqualTo(code);
    assertThat(err.toString()).contains(reason);
    assertThat(folder.resolve("base")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"microdroid --help", "microdroid build --help"})
  void explainsItself(String line) {
    assertThat(run(line)).isZero();
    assertThat(out.toString()).contains("build");
  }

  @Test
  void leavesNothingOnAFullDisk() throws Exception {
    Path small = Files.createDirectory(folder.resolve("small"));
    Process mount =
        new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=400k", "none", small.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(mount.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assumeTrue(mount.exitValue() == 0, "cannot mount a small file system here");
    try {
      assertThat(run(BUILD.replace("%base", "%small/base"))).isEqualTo(ExitCode.UNUSABLE);
      assertThat(err.toString()).contains("No space left");
      try (var files = Files.list(small)) {
        assertThat(files).isEmpty();
      }
    } finally {
      assertThat(new ProcessBuilder("umount", small.toString()).start().waitFor()).isZero();
    }
  }

  @Test
  void makesTheInstalledKernelIntoAnImageInLittleMemory() throws Exception {
    assumeTrue(
        Files.exists(KernelImage.installed().image())
            && Files.exists(GuestRuntime.installed().folder()),
        "needs what bin/setup fetches");
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx63m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                "io.github.avf4j.cli.AvfCommand",
                "microdroid",
                "build",
                "--out",
                folder.resolve("base").toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(Files.readString(log)).isZero();
    } finally {
      process.destroyForcibly();
    }
    assertThat(run(VERIFY + NORMAL)).as(err.toString()).isZero();
    assertThat(run(VERIFY + DEBUGGABLE)).isZero();
  }
}
