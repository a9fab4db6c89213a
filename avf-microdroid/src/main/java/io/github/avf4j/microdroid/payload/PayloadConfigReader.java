package io.github.avf4j.microdroid.payload;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.payload.PayloadConfig.Task;
import io.github.avf4j.microdroid.payload.PayloadConfig.TaskType;
import io.github.avf4j.microdroid.report.GuestText;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads the JSON of a {@link PayloadConfig}: strict in types, and no key may be there twice. */
final class PayloadConfigReader {
  private static final JsonMapper mapper =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final String OS = "microdroid";
  private static final String CLASS_PATH = "{CLASSPATH}";
  private static final Pattern APEX_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}");
  private static final int MAX_QUOTED = 100;

  private PayloadConfigReader() {}

  /**
   * Reads a configuration.
   *
   * @throws IllegalArgumentException if it cannot be honoured; the message is the end of a sentence
   */
  static PayloadConfig read(ByteSlice content) {
    JsonNode root = parse(content);
    if (root.isMissingNode()) {
      throw new IllegalArgumentException("it is no JSON, but empty");
    }
    if (!root.isObject()) {
      throw wrong("it", "an object", root);
    }
    checkOs(root.path("os"));
    flag(root, "prefer_staged");
    if (!root.path("export_tombstones").isNull()) {
      flag(root, "export_tombstones");
    }
    if (flag(root, "enable_authfs")) {
      throw new IllegalArgumentException(
          "\"enable_authfs\" must be false, because the guest has no authfs, but is true");
    }
    return new PayloadConfig(
        task(root.path("task")),
        texts(root, "extra_apks", "path", PayloadConfig.MAX_EXTRA_APKS),
        apexes(root),
        flag(root, "hugepages"));
  }

  private static JsonNode parse(ByteSlice content) {
    try {
      // As the guest does: no other encoding, and no byte order mark.
      String text = StandardCharsets.UTF_8.newDecoder().decode(content.asByteBuffer()).toString();
      return mapper.readTree(text);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("it is not UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "it is no JSON (" + GuestText.oneLine(e.getOriginalMessage()) + ')', e);
    }
  }

  private static void checkOs(JsonNode os) {
    if (os.isMissingNode()) {
      return;
    }
    if (!os.isObject()) {
      throw wrong("\"os\"", "an object", os);
    }
    JsonNode name = os.path("name");
    if (!name.isMissingNode()
        && !(name.isTextual() && (name.textValue().isEmpty() || name.textValue().equals(OS)))) {
      throw wrong("\"os.name\"", "empty or \"" + OS + '"', name);
    }
  }

  private static Task task(JsonNode task) {
    if (task.isMissingNode() || task.isNull()) {
      throw new IllegalArgumentException("it has no \"task\", so that nothing would run");
    }
    if (!task.isObject()) {
      throw wrong("\"task\"", "an object", task);
    }
    TaskType type = type(task.path("type"));
    JsonNode command = task.path("command");
    if (!command.isTextual()) {
      throw wrong("\"task.command\"", "a string", command);
    }
    String text = command.textValue();
    boolean nul = text.indexOf('\0') >= 0;
    if (type == TaskType.EXECUTABLE && (nul || !text.startsWith("/"))) {
      throw wrong("\"task.command\"", "an absolute path in the guest", command);
    }
    if (type == TaskType.MICRODROID_LAUNCHER
        && (nul
            || text.isEmpty()
            || text.indexOf('/') >= 0
            || text.equals(".")
            || text.equals(".."))) {
      throw wrong("\"task.command\"", "the file name of a library", command);
    }
    return new Task(type, text);
  }

  private static TaskType type(JsonNode type) {
    if (type.isMissingNode()) {
      return TaskType.EXECUTABLE;
    }
    for (TaskType known : TaskType.values()) {
      if (type.isTextual() && type.textValue().equals(known.name().toLowerCase(Locale.ROOT))) {
        return known;
      }
    }
    throw wrong("\"task.type\"", "\"executable\" or \"microdroid_launcher\"", type);
  }

  private static List<String> apexes(JsonNode root) {
    List<String> names = texts(root, "apexes", "name", PayloadConfig.MAX_APEXES);
    Set<String> before = new HashSet<>();
    for (int i = 0; i < names.size(); i++) {
      String field = "\"apexes[%d].name\"".formatted(i);
      String name = names.get(i);
      if (name.equals(CLASS_PATH)) {
        throw new IllegalArgumentException(
            field + " must be the name of an APEX: this host has no class path of APEXes");
      }
      if (!APEX_NAME.matcher(name).matches()) {
        throw wrong(
            field,
            "1..200 letters, digits, '_', '.' or '-'",
            root.path("apexes").path(i).path("name"));
      }
      if (!before.add(name)) {
        throw new IllegalArgumentException(
            "%s must be another than those before but is \"%s\"".formatted(field, name));
      }
    }
    return names;
  }

  private static List<String> texts(JsonNode root, String list, String key, int max) {
    JsonNode node = root.path(list);
    if (node.isMissingNode()) {
      return List.of();
    }
    if (!node.isArray()) {
      throw wrong('"' + list + '"', "a list", node);
    }
    if (node.size() > max) {
      throw new IllegalArgumentException(
          "\"%s\" must name at most %d but names %d".formatted(list, max, node.size()));
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode one : node) {
      JsonNode value = one.path(key);
      if (!value.isTextual()) {
        throw wrong(
            "\"%s[%d].%s\"".formatted(list, texts.size(), key),
            "a string",
            one.isObject() ? value : one);
      }
      texts.add(value.textValue());
    }
    return texts;
  }

  private static boolean flag(JsonNode root, String key) {
    JsonNode value = root.path(key);
    if (!value.isMissingNode() && !value.isBoolean()) {
      throw wrong('"' + key + '"', "true or false", value);
    }
    return value.booleanValue();
  }

  private static IllegalArgumentException wrong(String field, String expected, JsonNode value) {
    String is = value.isMissingNode() ? "missing" : value.toString();
    if (is.length() > MAX_QUOTED) {
      is = is.substring(0, MAX_QUOTED) + "...";
    }
    return new IllegalArgumentException(
        "%s must be %s but is %s".formatted(field, expected, GuestText.oneLine(is)));
  }
}
