package io.github.avf4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Runs the tool on files in a folder of its own, and keeps what it prints. */
abstract class CommandTest {
  @TempDir Path folder;
  final StringWriter out = new StringWriter();
  final StringWriter err = new StringWriter();

  /**
   * Runs a line of words; a word {@code @name} is a copy of a test vector, and {@code %name},
   * wherever it stands, a path in the folder. Whatever fails must give a reason and no stack trace.
   */
  final int run(String line) {
    String[] words = line.trim().replace("%", folder + "/").split(" +");
    for (int i = 0; i < words.length; i++) {
      if (words[i].startsWith("@")) {
        words[i] = vector(words[i].substring(1)).toString();
      }
    }
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    CommandLine commandLine = AvfCommand.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    int code = commandLine.execute(words);
    assertThat(err.toString()).doesNotContain("\tat ", "Exception");
    assertThat(err.toString().isEmpty()).as("a reason unless it is good").isEqualTo(code == 0);
    return code;
  }

  final void succeed(String line) {
    assertThat(run(line)).as(line + ": " + err).isZero();
  }

  /** A copy of a test vector in the folder. */
  final Path vector(String name) {
    Path copy = folder.resolve(name);
    if (!Files.exists(copy)) {
      try (InputStream in = CommandTest.class.getResourceAsStream("/vectors/" + name)) {
        Files.copy(in, copy);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return copy;
  }

  final Path write(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  /** Writes a file with one bit of another one changed. */
  final void damage(String from, int at, String to) throws IOException {
    byte[] bytes = Files.readAllBytes(folder.resolve(from));
    bytes[at] ^= 1;
    write(to, bytes);
  }
}
