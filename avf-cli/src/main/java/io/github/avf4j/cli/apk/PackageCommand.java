package io.github.avf4j.cli.apk;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.cli.ExitCode;
import io.github.avf4j.cli.attestation.Text;
import io.github.avf4j.cli.attestation.UnusableInputException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A command that ends with 0 if what it read is valid, with 1 and the reason on standard error if
 * it was read and refused, and with 2 if it could not be read or written.
 */
abstract class PackageCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /** Does the work; whatever is refused is thrown. */
  abstract void run() throws IOException;

  @Override
  public final Integer call() {
    try {
      run();
      return ExitCode.OK;
    } catch (AttestationException e) {
      err().println("avf: refused: " + Text.printable(String.valueOf(e.getMessage())));
      return ExitCode.REFUSED;
    } catch (UnusableInputException e) {
      err().println("avf: " + Text.printable(String.valueOf(e.getMessage())));
      return ExitCode.UNUSABLE;
    } catch (IOException e) {
      err().println("avf: " + Text.printable(explain(e)));
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
    return e instanceof AccessDeniedException
        ? e.getMessage() + ": permission is denied"
        : "input or output failed: " + e.getMessage();
  }

  /** Prints a line of a report. */
  final void line(String name, Object value) {
    out().println("%-14s %s".formatted(name, Text.printable(String.valueOf(value))));
  }

  /** Standard output. */
  final PrintWriter out() {
    return command().commandLine().getOut();
  }

  /** Standard error. */
  final PrintWriter err() {
    return command().commandLine().getErr();
  }

  /** Says that an option has an impossible value. */
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
