package io.github.avf4j.qemu.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QmpConnectionTest {
  private static final String GREETING =
      "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": \"x\"},"
          + " \"capabilities\": [\"oob\"]}}\r\n";
  private static final String DONE = "{\"return\": {}}\r\n";
  private static final String EVENT = "{\"event\": \"RESUME\"}\n";

  /** Gives a script in small pieces, and keeps what is written. */
  private static final class Script implements ByteChannel {
    private final ByteBuffer input;
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();

    Script(String text) {
      input = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int read(ByteBuffer target) {
      int n = Math.min(7, Math.min(input.remaining(), target.remaining()));
      if (n == 0) {
        return -1;
      }
      target.put(input.slice(input.position(), n));
      input.position(input.position() + n);
      return n;
    }

    @Override
    public int write(ByteBuffer source) {
      int n = Math.min(5, source.remaining());
      for (int i = 0; i < n; i++) {
        output.write(source.get());
      }
      return n;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}

    String written() {
      return output.toString(StandardCharsets.UTF_8);
    }
  }

  private static ObjectNode none() {
    return JsonNodeFactory.instance.objectNode();
  }

  @Test
  void greetsAndEntersCommandMode() throws IOException {
    Script script = new Script(GREETING + DONE);
    QmpMessage.Greeting greeting = new QmpConnection(script).handshake();
    assertThat(greeting).isEqualTo(new QmpMessage.Greeting(7, 2, 22));
    assertThat(script.written()).isEqualTo("{\"execute\":\"qmp_capabilities\"}\n");
  }

  @Test
  void keepsEventsThatComeBeforeAnAnswer() throws IOException {
    QmpConnection connection = new QmpConnection(new Script(EVENT + DONE));
    assertThat(connection.call("cont", none())).isEmpty();
    assertThat(connection.receive()).isEqualTo(new QmpMessage.Event("RESUME", none()));
    assertThat(connection.receive()).isNull();
  }

  @Test
  void sendsArguments() throws IOException {
    Script script = new Script(DONE);
    new QmpConnection(script).call("qom-list-types", none().put("implements", "device"));
    assertThat(script.written())
        .isEqualTo("{\"execute\":\"qom-list-types\",\"arguments\":{\"implements\":\"device\"}}\n");
  }

  @Test
  void tellsWhatQemuRefuses() {
    Script script =
        new Script("{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no such thing\"}}\n");
    assertThatThrownBy(() -> new QmpConnection(script).call("x", none()))
        .isInstanceOf(QmpProtocolException.class)
        .hasMessageContaining("no such thing");
  }

  @Test
  void tellsTheEndOfTheConnection() {
    assertThatThrownBy(() -> new QmpConnection(new Script(EVENT)).call("x", none()))
        .isInstanceOf(EOFException.class);
  }

  @Test
  void rejectsALineWithoutEnd() {
    Script script = new Script("[" + " ".repeat(QmpConnection.MAX_LINE + 1));
    assertThatThrownBy(() -> new QmpConnection(script).receive())
        .isInstanceOf(QmpProtocolException.class)
        .hasMessageContaining("262144");
  }

  @Test
  void rejectsAFloodOfEventsBeforeAnAnswer() {
    Script script = new Script(EVENT.repeat(300) + DONE);
    assertThatThrownBy(() -> new QmpConnection(script).call("x", none()))
        .isInstanceOf(QmpProtocolException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "17",
        "\"event\"",
        "[]",
        "{}",
        "{\"event\": 1}",
        "{\"event\": {}}",
        "{\"error\": {}}",
        "{\"QMP\": {}}",
        "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 99999999999}}}}",
        "{\"return\": {}",
        "{\"return\": {}} {\"return\": {}}",
        "{\"return\": NaN}",
        "\u0000"
      })
  void rejectsWhatIsNoMessage(String line) {
    assertThatThrownBy(() -> new QmpConnection(new Script(line + "\n")).receive())
        .isInstanceOf(QmpProtocolException.class);
  }

  @Test
  void rejectsDeepNesting() {
    Script script = new Script("{\"return\": " + "[".repeat(100) + "]".repeat(100) + "}\n");
    assertThatThrownBy(() -> new QmpConnection(script).receive())
        .isInstanceOf(QmpProtocolException.class);
  }

  @Test
  void takesAnEventWhoseDataIsNoObject() throws IOException {
    assertThat(new QmpConnection(new Script("{\"event\": \"STOP\", \"data\": [1]}\n")).receive())
        .isEqualTo(new QmpMessage.Event("STOP", none()));
  }
}
