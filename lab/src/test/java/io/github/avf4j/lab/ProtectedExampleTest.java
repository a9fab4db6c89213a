package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.examples.protect.ProtectedSecret;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of a protected machine, as bin/demo runs it. */
@Tag("pkvm")
class ProtectedExampleTest {
  @Test
  void aProtectedPayloadProvesWhatItIsAndKeepsItsSecret(@TempDir Path folder) throws Exception {
    assertThat(ProtectedSecret.run(folder.toString())).isZero();
  }
}
