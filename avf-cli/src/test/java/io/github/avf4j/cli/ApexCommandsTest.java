package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApexCommandsTest extends CommandTest {
  private static final String OPTIONS =
      " --manifest %manifest.json --key @testkey_rsa4096.pem --payload %payload";
  private static final String OUTER =
      " --outer-key @apk_test_key.pem --outer-cert @apk_test_cert.pem";

  @BeforeEach
  void makePayload() throws Exception {
    Path lib = Files.createDirectories(folder.resolve("payload/lib64"));
    Files.writeString(lib.resolve("libexample.so"), "no library");
    manifest("{\"name\": \"com.example.module\", \"version\": 3}");
    Files.createFile(folder.resolve("empty"));
    write("garbage", "neither zip nor key nor JSON".getBytes(StandardCharsets.UTF_8));
  }

  private void manifest(String json) throws IOException {
    Files.writeString(folder.resolve("manifest.json"), json);
  }

  @Test
  void verifiesAndShowsWhatItMakes() {
    succeed("apex make" + OPTIONS + " %out.apex");
    assertThat(out.toString()).contains("com.example.module", "no outer signature");
    succeed("apex verify %out.apex");
    assertThat(out.toString())
        .contains("com.example.module", "erofs", "RSA-4096", "root digest", "no outer signature")
        .endsWith("valid" + System.lineSeparator());
    succeed("apex info %out.apex");
    assertThat(out.toString()).contains("com.example.module", "SHA256_RSA4096", "sha256 over");
  }

  @Test
  void makesTheSameBytesAgain() throws Exception {
    succeed("apex make" + OPTIONS + " %one.apex");
    succeed("apex make" + OPTIONS + " %two.apex");
    assertThat(folder.resolve("one.apex")).hasSameBinaryContentAs(folder.resolve("two.apex"));
    succeed("apex make" + OPTIONS + " --owner 0:2000 --mtime 5 %two.apex");
    assertThat(Files.mismatch(folder.resolve("one.apex"), folder.resolve("two.apex")))
        .isNotNegative();
  }

  @Test
  void insistsOnTheKeyThatItIsGiven() throws Exception {
    succeed("apex make" + OPTIONS + " %out.apex");
    succeed("apex verify --key @testkey_rsa4096_pub.bin %out.apex");
    succeed("apex verify --key @testkey_rsa4096.pem %out.apex");
    damage("testkey_rsa4096_pub.bin", 100, "other.bin");
    assertThat(run("apex verify --key %other.bin %out.apex")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("another key");
    assertThat(run("apex verify --key %garbage %out.apex")).isEqualTo(ExitCode.REFUSED);
    assertThat(run("apex verify --key %missing %out.apex")).isEqualTo(ExitCode.UNUSABLE);
  }

  @Test
  void insistsOnAnOuterSignatureOnRequest() {
    succeed("apex make" + OPTIONS + " %plain.apex");
    assertThat(run("apex verify --require-outer %plain.apex")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).contains("no outer signature");
    succeed("apex make" + OPTIONS + OUTER + " %signed.apex");
    succeed("apex verify --require-outer %signed.apex");
    assertThat(out.toString()).contains("outer certificate").doesNotContain("no outer signature");
    succeed("apk verify %signed.apex");
    assertThat(out.toString()).containsPattern("package +com.example.module");
  }

  @Test
  void takesEveryFieldOfAManifest() throws Exception {
    manifest(
        """
        {"name": "com.example.module", "version": "9007199254740993", "versionName": "x\\u001b",
         "noCode": true, "provideNativeLibs": ["a.so"], "requireNativeLibs": ["b.so", "c.so"],
         "jniLibs": ["d.so"], "requireSharedApexLibs": ["e.so:1"], "provideSharedApexLibs": true,
         "supportsRebootlessUpdate": true, "preInstallHook": "f", "postInstallHook": "g"}
        """);
    succeed("apex make" + OPTIONS + " %out.apex");
    succeed("apex verify %out.apex");
    assertThat(out.toString())
        .contains("9007199254740993", "a.so", "b.so", "c.so", "d.so", "e.so:1", "without code")
        .doesNotContain("\u001b");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|no name",
        "{\"name\": \"a\"}|no version",
        "{\"name\": \"a/b\", \"version\": 1}|letters",
        "{\"name\": \"a\", \"version\": 1.5}|must be text",
        "{\"name\": \"a\", \"version\": \"1e3\"}|whole number",
        "{\"name\": \"a\", \"version\": 1, \"other\": 2}|unknown field \"other\"",
        "{\"name\": \"a\", \"version\": 1, \"noCode\": \"yes\"}|true or false",
        "{\"name\": \"a\", \"version\": 1, \"jniLibs\": \"x\"}|list of texts",
        "{\"name\": \"a\", \"name\": \"b\", \"version\": 1}|Duplicate",
        "{\"name\": \"a\", \"version\": 1} x|no JSON",
        "[]|no JSON object",
        "not JSON|no JSON"
      })
  void refusesOtherManifests(String json, String reason) throws Exception {
    manifest(json);
    assertThat(run("apex make" + OPTIONS + " %out.apex")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).startsWith("avf: refused: ").contains(reason);
    assertThat(folder.resolve("out.apex")).doesNotExist();
  }

  @Test
  void refusesChangedApexes() throws Exception {
    succeed("apex make" + OPTIONS + " %out.apex");
    int middle = (int) Files.size(folder.resolve("out.apex")) / 2;
    damage("out.apex", middle, "changed.apex");
    assertThat(run("apex verify %changed.apex")).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).startsWith("avf: refused: ");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "apex verify %garbage",
        "apex info %garbage",
        "apex info @small-ec.apk",
        "apex verify @small-ec.apk",
        "apex make --manifest %manifest.json --payload %payload %out --key %garbage",
        "apex make --manifest %manifest.json --payload %payload %out --key @apk_test_key.pem",
        "apex make" + OPTIONS + " %out --outer-key %garbage --outer-cert @apk_test_cert.pem",
        "apex make" + OPTIONS + " %out --outer-key @apk_test_key.pem --outer-cert %garbage"
      })
  void refusesWithAReason(String line) {
    assertThat(run(line)).as(out.toString()).isEqualTo(ExitCode.REFUSED);
    assertThat(err.toString()).startsWith("avf: refused: ");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "apex",
        "apex verify",
        "apex verify %missing",
        "apex verify %empty",
        "apex verify %payload",
        "apex info %missing",
        "apex info %empty",
        "apex make %out",
        "apex make" + OPTIONS,
        "apex make" + OPTIONS + " %payload",
        "apex make" + OPTIONS + " %payload/out",
        "apex make" + OPTIONS + " %missing/out",
        "apex make" + OPTIONS + " --outer-key @apk_test_key.pem %out",
        "apex make" + OPTIONS + " --owner root %out",
        "apex make --manifest %missing --key @testkey_rsa4096.pem --payload %payload %out",
        "apex make --manifest %empty --key @testkey_rsa4096.pem --payload %payload %out",
        "apex make --manifest %manifest.json --key %missing --payload %payload %out",
        "apex make --manifest %manifest.json --key %empty --payload %payload %out",
        "apex make --manifest %manifest.json --key @testkey_rsa4096.pem --payload %missing %out",
        "apex make --manifest %manifest.json --key @testkey_rsa4096.pem --payload %garbage %out"
      })
  void endsWithTwoForWhatCannotBeUsed(String line) {
    assertThat(run(line)).as(out.toString()).isEqualTo(ExitCode.UNUSABLE);
    assertThat(err.toString()).startsWith("avf: ");
    assertThat(folder.resolve("out")).doesNotExist();
  }
}
