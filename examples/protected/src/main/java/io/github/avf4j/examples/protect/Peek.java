package io.github.avf4j.examples.protect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * An attempt to read a guest's memory from another process of the host, which has all rights of the
 * one that runs the machine: {@link #main} is that process.
 *
 * @param bytes what it has read, if it could
 * @param signal the signal that ended it, if one did
 * @param status the exit status of the process
 */
record Peek(Optional<byte[]> bytes, Optional<String> signal, int status) {
  private static final int LENGTH = 32;
  private static final long LIMIT_SECONDS = 120;
  private static final Pattern SIGNAL = Pattern.compile("#\\s+(SIG[A-Z]+) \\(0x");
  private static final Pattern READ = Pattern.compile("(?m)^read ([0-9a-f]{64})$");

  /**
   * Tries to read 32 bytes of a machine of this process.
   *
   * @param machine the machine's name
   * @param offset where they are, from the start of the machine's RAM on
   */
  static Peek at(String machine, long offset) throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                // It is meant to crash, and to leave nothing behind.
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=/dev/null",
                "-cp",
                System.getProperty("java.class.path"),
                Peek.class.getName(),
                ram(machine).toString(),
                Long.toString(offset))
            .redirectErrorStream(true)
            .start();
    child.getOutputStream().close();
    String output = new String(child.getInputStream().readAllBytes());
    if (!child.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      child.destroyForcibly();
      throw new IOException("the process that reads the guest's memory does not end");
    }
    Matcher read = READ.matcher(output);
    Matcher signal = SIGNAL.matcher(output);
    Optional<byte[]> bytes =
        read.find() ? Optional.of(HexFormat.of().parseHex(read.group(1))) : Optional.empty();
    Optional<String> name = signal.find() ? Optional.of(signal.group(1)) : Optional.empty();
    if (bytes.isEmpty() && name.isEmpty()) {
      throw new IOException("the process that reads the guest's memory says: " + output);
    }
    return new Peek(bytes, name, child.exitValue());
  }

  /** The open file in which this process keeps the machine's RAM, as its owner may open it. */
  private static Path ram(String machine) throws IOException {
    Path files = Path.of("/proc", Long.toString(ProcessHandle.current().pid()), "fd");
    try (Stream<Path> all = Files.list(files)) {
      for (Path file : all.toList()) {
        if (List.of("/memfd:avf-ram-" + machine + " (deleted)", "/memfd:avf-ram-" + machine)
            .contains(linkOf(file))) {
          return file;
        }
      }
    }
    throw new IOException("no file with the RAM of machine " + machine + " is open");
  }

  private static String linkOf(Path file) {
    try {
      return Files.readSymbolicLink(file).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile
    }
  }

  /** Maps a file, and prints 32 bytes at an offset. */
  public static void main(String[] arguments) throws IOException {
    long offset = Long.parseLong(arguments[1]);
    byte[] bytes = new byte[LENGTH];
    try (FileChannel ram = FileChannel.open(Path.of(arguments[0]))) {
      ByteBuffer view = ram.map(FileChannel.MapMode.READ_ONLY, offset, LENGTH);
      view.get(bytes);
    }
    System.out.println("read " + HexFormat.of().formatHex(bytes));
  }
}
