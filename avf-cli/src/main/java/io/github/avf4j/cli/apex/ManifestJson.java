package io.github.avf4j.cli.apex;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.avf4j.cli.internal.RefusedException;
import io.github.avf4j.microdroid.apex.ApexManifest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * Reads a manifest in the JSON form of its protobuf message, as Android's build has it. What is not
 * known is refused by name: it would be lost.
 */
final class ManifestJson {
  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
  private static final Set<String> KNOWN =
      Set.of(
          "name",
          "version",
          "preInstallHook",
          "postInstallHook",
          "versionName",
          "noCode",
          "provideNativeLibs",
          "requireNativeLibs",
          "jniLibs",
          "requireSharedApexLibs",
          "provideSharedApexLibs",
          "supportsRebootlessUpdate");

  private final JsonNode object;

  private ManifestJson(JsonNode object) {
    this.object = object;
  }

  /**
   * Reads a manifest.
   *
   * @throws RefusedException if it is no such JSON object
   */
  static ApexManifest parse(byte[] json) {
    JsonNode node;
    try {
      node = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new RefusedException("the manifest is no JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new RefusedException("the manifest is no JSON: " + e.getMessage());
    }
    if (!node.isObject()) {
      throw new RefusedException("the manifest is no JSON object");
    }
    for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!KNOWN.contains(name)) {
        throw new RefusedException("the manifest has the unknown field \"" + name + '"');
      }
    }
    return new ManifestJson(node).manifest();
  }

  private ApexManifest manifest() {
    return new ApexManifest(
        text("name"),
        number("version"),
        text("preInstallHook"),
        text("postInstallHook"),
        text("versionName"),
        flag("noCode"),
        texts("provideNativeLibs"),
        texts("requireNativeLibs"),
        texts("jniLibs"),
        texts("requireSharedApexLibs"),
        flag("provideSharedApexLibs"),
        flag("supportsRebootlessUpdate"));
  }

  private String text(String name) {
    JsonNode value = object.path(name);
    if (value.isMissingNode()) {
      return "";
    }
    return requireText(value, name);
  }

  private static String requireText(JsonNode value, String name) {
    if (!value.isTextual()) {
      throw wrong(name, "text");
    }
    return value.textValue();
  }

  /** A number of 64 bits, which protobuf writes as text. */
  private long number(String name) {
    JsonNode value = object.path(name);
    if (value.isMissingNode()) {
      return 0;
    }
    if (value.isIntegralNumber() && value.canConvertToLong()) {
      return value.longValue();
    }
    try {
      return Long.parseLong(requireText(value, name));
    } catch (NumberFormatException e) {
      throw wrong(name, "a whole number of 64 bits");
    }
  }

  private boolean flag(String name) {
    JsonNode value = object.path(name);
    if (!value.isMissingNode() && !value.isBoolean()) {
      throw wrong(name, "true or false");
    }
    return value.asBoolean();
  }

  private List<String> texts(String name) {
    List<String> texts = new ArrayList<>();
    JsonNode value = object.path(name);
    if (!value.isMissingNode() && !value.isArray()) {
      throw wrong(name, "a list of texts");
    }
    value.forEach(element -> texts.add(requireText(element, name)));
    return texts;
  }

  private static RefusedException wrong(String name, String what) {
    return new RefusedException("the manifest's field \"" + name + "\" must be " + what);
  }
}
