package io.github.avf4j.qemu.process;

import io.github.avf4j.HypervisorException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A process that cannot outlive this JVM.
 *
 * <p>The command is a child of a shell whose standard input is a pipe from this JVM. Nothing is
 * ever written to it: its end means that the JVM is gone, even by SIGKILL, or that {@link #kill()}
 * was called, and a second shell that waits for it kills the command. The first shell waits for the
 * command, deletes the folder, and exits with the command's status. If somebody kills that shell,
 * this JVM closes the pipe, so the command ends as well. The parent-death signal of Linux would not
 * do: it belongs to the thread that forked, and the JVM's threads come and go.
 *
 * <p>The second shell is there before the command, so that at no moment the command is alone. The
 * two agree by a file, which each of them reads by a descriptor of its own, because the folder may
 * be gone by then: at the end of the pipe the shell writes a line and kills what the first line
 * names; the command writes its process id, and goes on only if that is the first line.
 *
 * <p>A session of its own keeps Ctrl-C of a terminal away from the command, so that this JVM
 * decides what it means. Thread-safe.
 */
final class Supervisor {
  private static final String SCRIPT =
      """
      folder=$1; shift
      exec 3<&0 </dev/null 4>"$folder/first" 5<"$folder/first" 6<"$folder/first"
      { read -r _ <&3; echo end >&4; read -r first <&5; kill -9 "$first"; } >/dev/null 2>&1 &
      watcher=$!
      /bin/sh -c 'echo "$$" >&4; read -r first <&6; [ "$first" = "$$" ] || kill -9 "$$"
        exec 4>&- 6<&-; exec "$@"' avf-qemu "$@" 3<&- 5<&- &
      command=$!
      exec 3<&- 4>&- 5<&- 6<&- 2>/dev/null >/dev/null
      wait "$command"
      status=$?
      kill -9 "$watcher"
      rm -rf -- "$folder"
      exit "$status"
      """;

  private static final Path SHELL = Path.of("/bin/sh");
  private static final Path NEW_SESSION = Path.of("/usr/bin/setsid");

  private final Process process;
  private final OutputStream pipe;

  private Supervisor(Process process) {
    this.process = process;
    this.pipe = process.getOutputStream();
    process.onExit().thenRun(this::kill);
  }

  /**
   * Starts {@code command}.
   *
   * @param folder is deleted with all that is in it when the command has ended
   * @throws HypervisorException if no process can be made
   */
  static Supervisor start(Path folder, List<String> command) {
    List<String> line = new ArrayList<>();
    if (Files.isExecutable(NEW_SESSION)) {
      line.add(NEW_SESSION.toString());
    }
    line.addAll(List.of(SHELL.toString(), "-c", SCRIPT, "avf-qemu", folder.toString()));
    line.addAll(command);
    try {
      return new Supervisor(
          new ProcessBuilder(line)
              .directory(folder.toFile())
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start());
    } catch (IOException e) {
      throw new HypervisorException(
          "fork()", 0, "cannot start " + SHELL + " for QEMU: " + e.getMessage());
    }
  }

  /** Returns the command's standard error. */
  InputStream errorOutput() {
    return process.getErrorStream();
  }

  /** Returns the handle of the shell, whose child the command is. */
  ProcessHandle handle() {
    return process.toHandle();
  }

  /** Kills the command with SIGKILL. Returns at once. Idempotent. */
  void kill() {
    try {
      pipe.close();
    } catch (IOException e) {
      // the other end is gone, which is what was wanted
    }
  }

  /** Completes when the command has ended. */
  CompletableFuture<Process> onExit() {
    return process.onExit();
  }

  /**
   * Waits until the command has ended; false if it has not within {@code timeout}. An interrupt is
   * kept for later.
   */
  boolean awaitExit(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Returns {@code still running}, {@code exit status 1}, {@code signal 9} and the like. */
  String describeExit() {
    if (process.isAlive()) {
      return "still running";
    }
    int status = process.exitValue();
    return status > 128 ? "signal " + (status - 128) : "exit status " + status;
  }
}
