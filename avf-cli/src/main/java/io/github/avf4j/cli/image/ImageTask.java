package io.github.avf4j.cli.image;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.cli.ExitCode;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.microdroid.image.ImageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command whose outcome is one of the three exit codes, and never a stack trace. */
abstract class ImageTask implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /**
   * Does the work; whatever is refused is thrown.
   *
   * @throws ImageException if the input is refused
   * @throws IOException if it cannot be read, or the output cannot be written
   */
  abstract void run() throws IOException;

  @Override
  public final Integer call() {
    try {
      run();
      return ExitCode.OK;
    } catch (ImageException | AttestationException e) {
      err().println("avf: refused: " + Table.printable(String.valueOf(e.getMessage())));
      return ExitCode.REFUSED;
    } catch (IOException e) {
      err().println("avf: " + Table.printable(explain(e)));
      return ExitCode.UNUSABLE;
    } finally {
      out().flush();
      err().flush();
    }
  }

  private static String explain(IOException e) {
    if (e instanceof NoSuchFileException) {
      return e.getMessage() + " does not exist";
    }
    if (e instanceof NotDirectoryException) {
      return e.getMessage() + " is not a folder";
    }
    return e instanceof AccessDeniedException
        ? e.getMessage() + ": permission is denied"
        : "input or output failed: " + e.getMessage();
  }

  /** Standard output. */
  final PrintWriter out() {
    return command().commandLine().getOut();
  }

  /** Standard error. */
  final PrintWriter err() {
    return command().commandLine().getErr();
  }

  /** A bar for long work. */
  final ProgressBar bar(String what) {
    return new ProgressBar(err(), what);
  }

  /** Says that options contradict each other. */
  final ParameterException usage(String message) {
    return new ParameterException(command().commandLine(), message);
  }

  private CommandSpec command() {
    CommandSpec command = spec;
    if (command == null) {
      throw new IllegalStateException("the command was not made by picocli");
    }
    return command;
  }
}
