package io.github.avf4j.examples.rust;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReadmeTest {
  @Test
  void theReadmeShowsThisPayload() throws IOException {
    String source = Files.readString(Path.of("payload/src/lib.rs"));
    String end = "manager.notify_payload_ready()?;\n";
    String example =
        source.substring(source.indexOf("vm_payload::main!"), source.indexOf(end) + end.length());
    assertThat(Files.readString(Path.of("../../README.md"))).contains("```rust\n" + example);
  }
}
