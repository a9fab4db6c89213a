package io.github.avf4j.qemu.qmp;

import com.fasterxml.jackson.databind.JsonNode;

/** What QEMU sends over QMP. Thread-safe. */
public sealed interface QmpMessage {
  /**
   * The first message.
   *
   * @param major QEMU's major version
   * @param minor QEMU's minor version
   * @param micro QEMU's patch level
   */
  record Greeting(int major, int minor, int micro) implements QmpMessage {}

  /**
   * A command has succeeded.
   *
   * @param value what it returned
   */
  record Return(JsonNode value) implements QmpMessage {}

  /**
   * A command has failed.
   *
   * @param kind QEMU's error class
   * @param description QEMU's words
   */
  record Failure(String kind, String description) implements QmpMessage {}

  /**
   * Something has happened.
   *
   * @param name the event's name in capital letters
   * @param data what belongs to it, an empty object if nothing
   */
  record Event(String name, JsonNode data) implements QmpMessage {}
}
