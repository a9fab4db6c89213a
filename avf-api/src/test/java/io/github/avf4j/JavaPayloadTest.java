package io.github.avf4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JavaPayloadTest {
  /** What a guest runs. */
  public static final class Main {
    private Main() {}

    public static void main(String[] arguments) {}
  }

  /** Has methods of the name only. */
  static final class NoMain {
    private NoMain() {}

    static void main(String[] arguments) {}

    public void main() {}
  }

  @Test
  void findsTheFolderOfItsClass() {
    JavaPayload payload = Payload.javaClass(Main.class);
    assertThat(payload.mainClass()).isEqualTo("io.github.avf4j.JavaPayloadTest$Main");
    assertThat(payload.classPath()).singleElement().matches(Files::isDirectory);
    assertThat(payload.classPath().get(0).resolve("io/github/avf4j/JavaPayloadTest$Main.class"))
        .exists();
    assertThat(payload).hasToString("java io.github.avf4j.JavaPayloadTest$Main");
  }

  @Test
  void keepsWhatItIsGiven() {
    JavaPayload payload =
        Payload.javaClass("a.B", Path.of("one.jar"))
            .withClassPath(Path.of("two.jar"), Path.of("one.jar"))
            .withArguments("x", "")
            .withModules("java.sql", "java.logging")
            .withSigningKey(Path.of("key"), Path.of("certificate"));
    assertThat(payload.classPath())
        .containsExactly(Path.of("one.jar").toAbsolutePath(), Path.of("two.jar").toAbsolutePath());
    assertThat(payload.arguments()).containsExactly("x", "");
    assertThat(payload.modules()).containsExactly("java.logging", "java.sql");
    assertThat(payload.signer().orElseThrow().key()).isEqualTo(Path.of("key").toAbsolutePath());
    assertThat(payload)
        .isEqualTo(payload.withArguments("x", ""))
        .isNotEqualTo(payload.withArguments());
  }

  @Test
  void refusesClassesThatCannotBeStarted() {
    assertThatThrownBy(() -> Payload.javaClass(NoMain.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("public static void main");
    assertThatThrownBy(() -> Payload.javaClass(int.class))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/B", "a\u0000"})
  void refusesWhatIsNoNameOfAClass(String name) {
    assertThatThrownBy(() -> Payload.javaClass(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("com.example.Main");
  }

  @Test
  void refusesArgumentsAndModulesThatCannotBe() {
    JavaPayload payload = Payload.javaClass("a.B");
    assertThatThrownBy(() -> payload.withArguments("a\u0000"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> payload.withModules("a,b"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"a,b\"");
  }
}
