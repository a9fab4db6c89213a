package io.github.avf4j.microdroid.apk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.Foreign;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApkWriterTest {
  private static final String PACKAGE = "com.example.payload";
  private static final byte[] BYTES = "content".getBytes(StandardCharsets.UTF_8);

  @TempDir Path folder;
  private Path library = Path.of("");
  private Path apk = Path.of("");

  @BeforeEach
  void makeFiles() throws Exception {
    byte[] elf = new byte[5001];
    elf[0] = 0x7f;
    library = Files.write(folder.resolve("lib.so"), elf);
    apk = folder.resolve("out.apk");
  }

  private ApkWriter writer() {
    return new ApkWriter(PACKAGE)
        .versionCode(0x1_0000_0007L)
        .add("lib/x86_64/libpayload.so", library)
        .add("assets/ä.txt", BYTES)
        .add("assets/empty", new byte[0])
        .add("lib/x86_64/libother.so", BYTES);
  }

  @Test
  void makesWhatJavaReads() throws Exception {
    writer().write(apk);
    try (ZipFile zip = new ZipFile(apk.toFile())) {
      assertThat(zip.stream().map(java.util.zip.ZipEntry::getName))
          .containsExactly(
              "AndroidManifest.xml",
              "assets/empty",
              "assets/ä.txt",
              "lib/x86_64/libother.so",
              "lib/x86_64/libpayload.so");
      assertThat(zip.getInputStream(zip.getEntry("assets/ä.txt")).readAllBytes()).isEqualTo(BYTES);
      assertThat(zip.getInputStream(zip.getEntry("lib/x86_64/libpayload.so")).readAllBytes())
          .isEqualTo(Files.readAllBytes(library));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"rsa2048", "secp256r1"})
  void makesAndSignsWhatGuestsTake(String key) throws Exception {
    VerifiedApk made = writer().writeSigned(apk, TestKeys.of(key));
    VerifiedApk read =
        ApkVerifier.verify(ImageSource.of(Files.readAllBytes(apk)), ApkPolicy.DEFAULT);
    assertThat(read).isEqualTo(made);
    assertThat(read.scheme()).isEqualTo(SignatureScheme.V3);
    assertThat(read.manifest()).isEqualTo(new ManifestInfo(PACKAGE, 0x1_0000_0007L));
    assertThat(read.manifestFault()).isEmpty();
    assertThat(read.remarks()).as("no library is out of place").isEmpty();
    assertThat(Apksig.accepts(Files.readAllBytes(apk), 36)).as("apksig").isTrue();
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("lib.so", "out.apk");
  }

  @Test
  void makesWhatDebiansToolAccepts() throws Exception {
    writer().writeSigned(apk, TestKeys.of("rsa2048"));
    assertThat(Foreign.run("apksigner", "apksigner", "verify", "--verbose", apk))
        .contains("Verified using v2 scheme (APK Signature Scheme v2): true")
        .contains("Verified using v3 scheme (APK Signature Scheme v3): true");
  }

  @Test
  void putsContentsWhereAGuestMapsThem() throws Exception {
    writer().write(apk);
    ZipDirectory entries = ApkFile.open(ImageSource.of(Files.readAllBytes(apk))).directory();
    for (ZipEntry entry : entries.entries()) {
      assertThat(entry.isStored()).as(entry.name()).isTrue();
      assertThat(entry.dataOffset() % (entry.name().endsWith(".so") ? 4096 : 4))
          .as(entry.name())
          .isZero();
    }
  }

  @Test
  void makesTheSameBytesInWhateverOrder() throws Exception {
    writer().write(apk);
    byte[] first = Files.readAllBytes(apk);
    new ApkWriter(PACKAGE)
        .add("lib/x86_64/libother.so", BYTES)
        .add("assets/empty", new byte[0])
        .add("assets/ä.txt", BYTES)
        .add("lib/x86_64/libpayload.so", Files.readAllBytes(library))
        .versionCode(0x1_0000_0007L)
        .write(apk);
    assertThat(apk).hasBinaryContent(first);
    writer().writeSigned(apk, TestKeys.of("rsa2048"));
    byte[] signed = Files.readAllBytes(apk);
    writer().writeSigned(apk, TestKeys.of("rsa2048"));
    assertThat(apk).hasBinaryContent(signed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "payload",
        ".a",
        "a.",
        "a..b",
        "1a.b",
        "a.1b",
        "a._b",
        "a-b.c",
        "a.b c",
        "a.b/c",
        "a.b\u0000",
        "a.ä"
      })
  void refusesWhatIsNoPackageName(String name) {
    assertThatThrownBy(() -> new ApkWriter(name))
        .isInstanceOfSatisfying(
            ApkException.class, e -> assertThat(e.error()).isEqualTo(ApkError.MANIFEST))
        .hasMessageContaining("\"" + name + "\"");
  }

  @Test
  void takesPackageNamesAsLongAsAndroidDoes() throws Exception {
    String longest = "a." + "b".repeat(221);
    new ApkWriter(longest).write(apk);
    assertThat(ManifestFile.read(ApkFile.open(ImageSource.of(Files.readAllBytes(apk)))).info())
        .isEqualTo(new ManifestInfo(longest, 1));
    assertThatThrownBy(() -> new ApkWriter(longest + "b")).hasMessageContaining("223");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|1..4095 bytes|UNSAFE_NAME",
        "/absolute|absolute|UNSAFE_NAME",
        "../up|\"..\"|UNSAFE_NAME",
        "a/../b|\"..\"|UNSAFE_NAME",
        "./a|\".\"|UNSAFE_NAME",
        "a//b|empty|UNSAFE_NAME",
        "folder/|not a folder|UNSAFE_NAME",
        "a\\b|backslash|UNSAFE_NAME",
        "AndroidManifest.xml|leave it out|DUPLICATE_ENTRY",
        "assets/empty|twice|DUPLICATE_ENTRY",
      })
  void refusesPathsWhenTheyAreAdded(String path, String reason, ApkError error) {
    ApkWriter writer = writer();
    assertThatThrownBy(() -> writer.add(path, BYTES))
        .isInstanceOfSatisfying(ApkException.class, e -> assertThat(e.error()).isEqualTo(error))
        .hasMessageContaining(reason);
  }

  @Test
  void refusesPathsThatAreNoText() {
    assertThatThrownBy(() -> writer().add("a\ud800", BYTES)).hasMessageContaining("surrogate");
    assertThatThrownBy(() -> writer().add("a\u0000", BYTES)).hasMessageContaining("NUL");
  }

  @Test
  void leavesTheOldFileIfItFails() throws Exception {
    Files.writeString(apk, "old");
    assertThatThrownBy(() -> writer().add("assets/empty/a", BYTES).write(apk))
        .isInstanceOfSatisfying(
            ApkException.class, e -> assertThat(e.error()).isEqualTo(ApkError.DUPLICATE_ENTRY));
    assertThatThrownBy(() -> writer().add("a", folder.resolve("missing")).write(apk))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> writer().add("a", folder).write(apk)).isInstanceOf(IOException.class);
    assertThat(apk).hasContent("old");
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder("lib.so", "out.apk");
  }
}
