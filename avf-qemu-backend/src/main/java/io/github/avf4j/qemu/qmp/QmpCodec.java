package io.github.avf4j.qemu.qmp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;

/** Turns lines into {@link QmpMessage}s and commands into lines. Thread-safe. */
final class QmpCodec {
  private static final ObjectMapper JSON = mapper();

  private QmpCodec() {}

  private static ObjectMapper mapper() {
    JsonMapper mapper =
        JsonMapper.builder()
            .disable(JsonReadFeature.ALLOW_JAVA_COMMENTS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    mapper
        .getFactory()
        .setStreamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(32)
                .maxNumberLength(64)
                .maxStringLength(QmpConnection.MAX_LINE)
                .build());
    return mapper;
  }

  /** Reads the first {@code length} bytes of {@code line} as one message. */
  static QmpMessage parse(byte[] line, int length) throws QmpProtocolException {
    JsonNode root;
    try {
      root = JSON.readTree(new String(line, 0, length, StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new QmpProtocolException(
          "QEMU sent a line that is not JSON: " + e.getOriginalMessage());
    }
    if (!(root instanceof ObjectNode)) {
      throw new QmpProtocolException("QEMU sent a QMP line that is not an object");
    }
    if (root.has("event")) {
      JsonNode data = root.path("data");
      return new QmpMessage.Event(
          text(root.path("event")),
          data instanceof ObjectNode ? data : JsonNodeFactory.instance.objectNode());
    }
    if (root.has("return")) {
      return new QmpMessage.Return(root.path("return"));
    }
    if (root.has("error")) {
      JsonNode error = root.path("error");
      return new QmpMessage.Failure(text(error.path("class")), text(error.path("desc")));
    }
    JsonNode version = root.path("QMP").path("version").path("qemu");
    if (version.path("major").isInt()) {
      return new QmpMessage.Greeting(
          version.path("major").asInt(),
          version.path("minor").asInt(),
          version.path("micro").asInt());
    }
    throw new QmpProtocolException("QEMU sent a QMP object of no known kind");
  }

  private static String text(JsonNode node) throws QmpProtocolException {
    if (!node.isTextual()) {
      throw new QmpProtocolException("QEMU sent a QMP object without a name where one must be");
    }
    return node.textValue();
  }

  /** Returns the line for a command, with its end. */
  static byte[] encode(String command, ObjectNode arguments) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("execute", command);
    if (!arguments.isEmpty()) {
      root.set("arguments", arguments);
    }
    return (root + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
