package io.github.avf4j.microdroid.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.JavaPayload;
import io.github.avf4j.JavaPayloadException;
import io.github.avf4j.JavaPayloadException.Reason;
import io.github.avf4j.Payload;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.Foreign;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.apex.ApexVerifier;
import io.github.avf4j.microdroid.apex.VerifiedApex;
import io.github.avf4j.microdroid.apk.ApkPolicy;
import io.github.avf4j.microdroid.apk.ApkVerifier;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.payload.PackOptions;
import io.github.avf4j.microdroid.payload.VmFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaPayloadPackagerTest {
  /** One for all: jlink takes its time. */
  @TempDir static Path shared;

  @TempDir Path folder;
  private Path classes = Path.of("");

  /** What the tests pack; it says what it sees. */
  public static final class Talker {
    private Talker() {}

    public static void main(String[] arguments) throws IOException {
      Path class1 = Path.of("module-path");
      System.out.println(String.join("|", arguments) + class1.getNameCount());
      System.out.println("libraries " + System.getenv("LD_LIBRARY_PATH"));
      System.out.println("charset " + System.getProperty("native.encoding"));
      System.out.println("modules " + ModuleLayer.boot().modules().size());
    }
  }

  @BeforeAll
  static void needsAJdkOfTheGuest() {
    assumeTrue(
        GuestArchitecture.ofJvm(System.getProperty("os.arch")).isPresent()
            && java.util.spi.ToolProvider.findFirst("jlink").isPresent(),
        "needs a JDK with jlink for the guest");
  }

  /** The test's own class alone, which is small. */
  @BeforeEach
  void copyClass() throws Exception {
    classes = folder.resolve("classes");
    String file = Talker.class.getName().replace('.', '/') + ".class";
    Path copy = classes.resolve(file);
    Files.createDirectories(copy.getParent());
    try (var in = Talker.class.getResourceAsStream('/' + file)) {
      Files.copy(in, copy);
    }
  }

  private JavaPayload payload() {
    return Payload.javaClass(Talker.class.getName(), classes);
  }

  private static JavaPayloadPackager packager() {
    return new JavaPayloadPackager(
        new CacheFolder(shared.resolve("cache")), shared.resolve("data"));
  }

  @Test
  void makesAnApkThatGuestsVerify() throws Exception {
    PackedJavaPayload packed = packager().pack(payload().withArguments("a b", "", "ä"));
    assertThat(packed.apk().binaryName()).contains("libavf_java.so");
    VerifiedApk apk;
    try (FileChannel file = FileChannel.open(packed.apk().apk())) {
      apk = ApkVerifier.verify(ImageSource.of(file), ApkPolicy.DEFAULT);
    }
    assertThat(apk.manifest().packageName())
        .isEqualTo("io.github.avf4j.microdroid.java.JavaPayloadPackagerTest_Talker");
    assertThat(apk.remarks()).isEmpty();
    try (ZipFile zip = new ZipFile(packed.apk().apk().toFile())) {
      byte[] command = zip.getInputStream(zip.getEntry("java/command")).readAllBytes();
      assertThat(new String(command, StandardCharsets.UTF_8))
          .startsWith("LD_LIBRARY_PATH=/apex/io.github.avf4j.java/lib\0")
          .contains("\0\0/apex/io.github.avf4j.java/bin/java\0-XX:")
          .contains("\0-cp\0/mnt/apk/java/0\0" + Talker.class.getName() + "\0a b\0\0ä\0");
      assertThat(zip.getEntry(JavaCommand.LIBRARY)).isNotNull();
    }
    assertThat(Foreign.run("apksigner", "apksigner", "verify", packed.apk().apk())).isEmpty();
  }

  @Test
  void makesTheSameFilesAgain() throws Exception {
    PackedJavaPayload first = packager().pack(payload());
    assertThat(packager().pack(payload())).isEqualTo(first);
    byte[] bytes = Files.readAllBytes(first.apk().apk());
    Files.delete(first.apk().apk());
    assertThat(packager().pack(payload()).apk()).isEqualTo(first.apk());
    assertThat(first.apk().apk()).as("made again").hasBinaryContent(bytes);
    assertThat(packager().pack(payload().withArguments("x")).apk().apk())
        .isNotEqualTo(first.apk().apk());
  }

  @Test
  void goesIntoTheFilesOfAMachine() throws Exception {
    PackedJavaPayload packed = packager().pack(payload());
    Path vm = Files.createDirectory(folder.resolve("vm"));
    new VmFolder(vm).pack(packed.apk(), PackOptions.DEFAULT.withApexes(packed.apexes()));
    assertThat(vm.resolve("payload.img")).exists();
  }

  @Test
  void makesARuntimeThatGuestsVerifyAndThatRunsTheClass() throws Exception {
    PackedJavaPayload packed = packager().pack(payload().withArguments("one", "", "two wörds"));
    PackOptions.Apex apex = packed.apexes().get(0);
    VerifiedApex verified;
    byte[] image;
    try (FileChannel file = FileChannel.open(apex.file())) {
      ImageSource source = ImageSource.of(file);
      verified = ApexVerifier.verify(source, false);
      image = source.readRange(verified.payloadOffset(), (int) verified.hashtree().imageSize());
    }
    assertThat(verified.manifest().name()).isEqualTo(apex.name());
    assertThat(verified.publicKey()).isEqualTo(DevelopmentKey.publicKey());
    Path root = folder.resolve("runtime");
    Path payload = Files.write(folder.resolve("payload.erofs"), image);
    Foreign.run("erofs-utils", "fsck.erofs", "--extract=" + root, payload);
    List<String> output = runOnHost(packed, root);
    assertThat(output.get(0)).isEqualTo("one||two wörds1");
    assertThat(output.get(1)).isEqualTo("libraries " + root.resolve("lib"));
    assertThat(output.get(2)).isEqualTo("charset UTF-8");
    assertThat(output.get(3)).as("java.base and elliptic curves").isIn("modules 1", "modules 2");
  }

  /** What the guest would execute, with the host's folders in the place of the guest's. */
  private List<String> runOnHost(PackedJavaPayload packed, Path runtime) throws Exception {
    Path apk = folder.resolve("apk");
    List<List<String>> command = List.of(new ArrayList<>(), new ArrayList<>());
    try (ZipFile zip = new ZipFile(packed.apk().apk().toFile())) {
      for (var entry : java.util.Collections.list(zip.entries())) {
        Path file = apk.resolve(entry.getName());
        Files.createDirectories(file.getParent());
        Files.copy(zip.getInputStream(entry), file);
      }
    }
    String text = Files.readString(apk.resolve("java/command"), StandardCharsets.UTF_8);
    int list = 0;
    for (String word : text.substring(0, text.length() - 1).split("\0", -1)) {
      if (list == 0 && word.isEmpty()) {
        list = 1;
        continue;
      }
      command
          .get(list)
          .add(
              word.replace("/apex/" + packed.apexes().get(0).name(), runtime.toString())
                  .replace("/mnt/apk", apk.toString()));
    }
    Path output = folder.resolve("output");
    ProcessBuilder builder = new ProcessBuilder(command.get(1));
    command
        .get(0)
        .forEach(
            variable -> builder.environment().put(variable.split("=")[0], variable.split("=")[1]));
    Process process = builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(output)).isZero();
    return Files.readAllLines(output);
  }

  @Test
  void keepsAKeyForItsOwnerOnly() throws Exception {
    packager().pack(payload());
    Path key = shared.resolve("data/payload-signing-key.pem");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
        .isEqualTo("rw-------");
    assertThat(shared.resolve("data").toFile().list())
        .containsExactly(key.getFileName().toString());
  }

  @Test
  void saysWhichClassIsMissing() throws Exception {
    assertRefused(Payload.javaClass("com.example.Missing", classes), Reason.CLASS_PATH, "Missing");
    assertRefused(payload().withClassPath(folder.resolve("no.jar")), Reason.CLASS_PATH, "no.jar");
    Path text = Files.writeString(folder.resolve("text.jar"), "no zip");
    assertRefused(payload().withClassPath(text), Reason.CLASS_PATH, "text.jar");
  }

  @Test
  void saysWhichModuleAndKeyAreMissing() {
    assertRefused(payload().withModules("com.example.module"), Reason.MODULE, "com.example.module");
    assertRefused(
        payload().withSigningKey(folder.resolve("key.pem"), folder.resolve("cert.pem")),
        Reason.SIGNING_KEY,
        "key.pem");
  }

  private static void assertRefused(JavaPayload payload, Reason reason, String what) {
    assertThatThrownBy(() -> packager().pack(payload))
        .isInstanceOfSatisfying(
            JavaPayloadException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContaining(what);
  }
}
