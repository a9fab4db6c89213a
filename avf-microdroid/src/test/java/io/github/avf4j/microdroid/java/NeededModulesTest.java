package io.github.avf4j.microdroid.java;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

class NeededModulesTest {
  /** Needs a module by a call and another one by a type in a signature only. */
  static final class Logging {
    private Logging() {}

    static void log() {
      Logger.getLogger("a").info("b");
      connect(null);
    }

    static void connect(java.sql.Connection connection) {}
  }

  private static byte[] classFile(Class<?> type) throws IOException {
    try (var in = type.getResourceAsStream('/' + type.getName().replace('.', '/') + ".class")) {
      return in.readAllBytes();
    }
  }

  @Test
  void findsModulesByClassesAndSignatures() throws Exception {
    NeededModules modules = new NeededModules();
    modules.add(classFile(Logging.class));
    assertThat(modules.names()).containsExactly("java.base", "java.logging", "java.sql");
  }

  @Test
  void needsTheBaseAlwaysAndNothingOfOthers() throws Exception {
    NeededModules modules = new NeededModules();
    modules.add(classFile(NeededModulesTest.class));
    assertThat(modules.names()).containsExactly("java.base");
  }

  @Test
  void passesOverWhatIsNoClass() throws Exception {
    NeededModules modules = new NeededModules();
    byte[] whole = classFile(Logging.class);
    for (int length = 0; length < 200; length++) {
      modules.add(Arrays.copyOf(whole, length));
    }
    modules.add(new byte[100]);
    assertThat(modules.names()).contains("java.base");
  }
}
