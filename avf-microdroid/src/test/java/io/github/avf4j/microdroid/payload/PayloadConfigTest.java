package io.github.avf4j.microdroid.payload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.Payload;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.payload.PayloadConfig.Task;
import io.github.avf4j.microdroid.payload.PayloadConfig.TaskType;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PayloadConfigTest {
  private static final String LAUNCHER =
      "\"task\": {\"type\": \"microdroid_launcher\", \"command\": \"libx.so\"}";
  private static final ApkPayload PAYLOAD =
      Payload.apk(Path.of("/p.apk")).withConfigPath("assets/vm_config.json");

  private static PayloadConfig read(String json) {
    return read(json, StandardCharsets.UTF_8);
  }

  private static PayloadConfig read(String json, Charset charset) {
    return PayloadConfig.read(PAYLOAD, ByteSlice.takeOver(json.getBytes(charset)));
  }

  @Test
  void readsEveryKeyAndIgnoresOthers() {
    PayloadConfig config =
        read(
            """
            {
              "os": {"name": "microdroid"},
              "task": {"type": "microdroid_launcher", "command": "libx.so", "args": ["ignored"]},
              "extra_apks": [{"path": "/one.apk"}, {"path": "/two.apk"}],
              "apexes": [{"name": "com.example.b"}, {"name": "com.example.a"}],
              "prefer_staged": true,
              "export_tombstones": null,
              "enable_authfs": false,
              "hugepages": true,
              "version": 1
            }
            """);
    assertThat(config)
        .isEqualTo(
            new PayloadConfig(
                new Task(TaskType.MICRODROID_LAUNCHER, "libx.so"),
                List.of("/one.apk", "/two.apk"),
                List.of("com.example.b", "com.example.a"),
                true));
  }

  @Test
  void hasAvfsDefaults() {
    PayloadConfig config = read("{\"os\": {}, \"task\": {\"command\": \"/mnt/apk/bin/run\"}}");
    assertThat(config.task()).isEqualTo(new Task(TaskType.EXECUTABLE, "/mnt/apk/bin/run"));
    assertThat(config.extraApks()).isEmpty();
    assertThat(config.apexes()).isEmpty();
    assertThat(config.hugepages()).isFalse();
    assertThat(read("{\"os\": {\"name\": \"\"}, " + LAUNCHER + '}').task().type())
        .isEqualTo(TaskType.MICRODROID_LAUNCHER);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``                                   | it is no JSON",
        "{                                    | it is no JSON",
        "{TASK} {}                            | it is no JSON",
        "{TASK, TASK}                         | it is no JSON (Duplicate",
        "[]                                   | it must be an object but is []",
        "{}                                   | it has no \"task\", so that nothing would run",
        "{\"task\": null}                     | it has no \"task\", so that nothing would run",
        "{\"task\": 1}                        | \"task\" must be an object but is 1",
        "{\"task\": {}}                       | \"task.command\" must be a string but is missing",
        "{\"task\": {\"command\": [1]}}       | \"task.command\" must be a string but is [1]",
        "{\"task\": {\"command\": \"a\"}}     | \"task.command\" must be an absolute path in the"
            + " guest but is \"a\"",
        "{\"task\": {\"type\": null, \"command\": \"/a\"}} | \"task.type\" must be \"executable\" or"
            + " \"microdroid_launcher\" but is null",
        "{\"task\": {\"type\": \"x\", \"command\": \"/a\"}} | \"task.type\" must be \"executable\" or"
            + " \"microdroid_launcher\" but is \"x\"",
        "{\"task\": {\"type\": \"microdroid_launcher\", \"command\": \"../x\"}} | \"task.command\" must"
            + " be the file name of a library but is \"../x\"",
        "{\"task\": {\"type\": \"microdroid_launcher\", \"command\": \"\"}} | but is \"\"",
        "{TASK, \"os\": \"microdroid\"}      | \"os\" must be an object but is \"microdroid\"",
        "{TASK, \"os\": {\"name\": \"linux\"}} | \"os.name\" must be empty or \"microdroid\" but is"
            + " \"linux\"",
        "{TASK, \"extra_apks\": {}}          | \"extra_apks\" must be a list but is {}",
        "{TASK, \"extra_apks\": [\"a\"]}     | \"extra_apks[0].path\" must be a string but is \"a\"",
        "{TASK, \"extra_apks\": [{\"path\": \"a\"}, {}]} | \"extra_apks[1].path\" must be a string but is"
            + " missing",
        "{TASK, \"apexes\": [{\"name\": 1}]} | \"apexes[0].name\" must be a string but is 1",
        "{TASK, \"apexes\": [{\"name\": \"a/b\"}]} | \"apexes[0].name\" must be 1..200 letters, digits,"
            + " '_', '.' or '-' but is \"a/b\"",
        "{TASK, \"apexes\": [{\"name\": \"a\"}, {\"name\": \"a\"}]} | \"apexes[1].name\" must be another"
            + " than those before but is \"a\"",
        "{TASK, \"apexes\": [{\"name\": \"{CLASSPATH}\"}]} | this host has no class path of APEXes",
        "{TASK, \"hugepages\": 1}            | \"hugepages\" must be true or false but is 1",
        "{TASK, \"prefer_staged\": \"no\"}   | \"prefer_staged\" must be true or false but is \"no\"",
        "{TASK, \"export_tombstones\": 0}    | \"export_tombstones\" must be true or false but is 0",
        "{TASK, \"enable_authfs\": null}     | \"enable_authfs\" must be true or false but is null",
        "{TASK, \"enable_authfs\": true}     | \"enable_authfs\" must be false, because the guest has"
            + " no authfs, but is true",
      })
  void namesTheFieldThatCannotBeHonouredAndItsValue(String json, String message) {
    String text = json.replace("TASK", LAUNCHER);
    assertThatThrownBy(() -> read(text))
        .isInstanceOfSatisfying(
            PackException.class,
            e -> {
              assertThat(e.error()).isEqualTo(PackError.CONFIG);
              assertThat(e.error().code()).isEqualTo(ErrorCode.PAYLOAD_INVALID_CONFIG);
            })
        .hasMessageContaining("the configuration assets/vm_config.json of the APK /p.apk cannot")
        .hasMessageContaining(message);
  }

  @Test
  void refusesOtherEncodingsAndDeepNesting() {
    assertThatThrownBy(() -> read('{' + LAUNCHER + '}', StandardCharsets.UTF_16))
        .hasMessageContaining("it is not UTF-8");
    assertThatThrownBy(() -> read("\uFEFF{" + LAUNCHER + '}'))
        .hasMessageContaining("it is no JSON");
    assertThatThrownBy(() -> read("[".repeat(500_000))).hasMessageContaining("it is no JSON");
  }

  @Test
  void boundsItsListsAndWhatItQuotes() {
    String many = String.join(",", Collections.nCopies(65, "{\"path\": \"x\"}"));
    assertThatThrownBy(() -> read('{' + LAUNCHER + ", \"extra_apks\": [" + many + "]}"))
        .hasMessageContaining("\"extra_apks\" must name at most 64 but names 65");
    assertThatThrownBy(
            () ->
                read(
                    '{'
                        + LAUNCHER
                        + ", \"os\": {\"name\": \"\u001b[2J"
                        + "x".repeat(9999)
                        + "\"}}"))
        .hasMessageNotContaining("\u001b")
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(400));
  }

  private static void assertNotGiven(PayloadConfig config, ApkPayload payload, String message) {
    assertThatThrownBy(() -> config.requireGiven(payload))
        .isInstanceOfSatisfying(
            PackException.class, e -> assertThat(e.error()).isEqualTo(PackError.CONFIG))
        .hasMessageContaining(message);
  }

  @Test
  void wantsWhatItNamesAndNothingElse() {
    PayloadConfig config =
        read(
            '{'
                + LAUNCHER
                + ", \"extra_apks\": [{\"path\": \"/one.apk\"}],"
                + " \"apexes\": [{\"name\": \"b\"}, {\"name\": \"a\"}]}");
    assertNotGiven(
        config,
        PAYLOAD,
        "\"extra_apks\" names 1 (/one.apk) but 0 were given: give each with withExtraApk(), in this"
            + " order");
    ApkPayload one = PAYLOAD.withExtraApk(Path.of("/other.apk"));
    assertNotGiven(config, one.withExtraApk(Path.of("/x")), "names 1 (/one.apk) but 2 were given");
    assertNotGiven(
        config, one, "\"apexes\" names a, b, which were not given: give each with withApex()");
    ApkPayload both = one.withApex("a", Path.of("/a")).withApex("b", Path.of("/b"));
    assertNotGiven(
        config,
        both.withApex("c", Path.of("/c")),
        "\"apexes\" does not name c, which were given: leave them out, or name them there");
    config.requireGiven(both);
  }
}
