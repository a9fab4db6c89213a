package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.cli.ExitCode;
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
 * A command that reads what somebody else made: it ends with 0 if that is valid, with 1 and the
 * reason on standard error if it was read and refused, and with 2 if it could not be read.
 */
abstract class AttestationCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /**
   * Does the work; whatever is refused is thrown.
   *
   * @throws AttestationException if the input is refused
   * @throws UnusableInputException if it is missing, empty or unreadable
   */
  abstract void run() throws IOException;

  /** Tells a machine that reads standard output about a refusal; nothing unless overridden. */
  void refused(AttestationException reason) {}

  @Override
  public final Integer call() {
    try {
      run();
      return ExitCode.OK;
    } catch (AttestationException e) {
      refused(e);
      err().println("avf: refused: " + reason(e));
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

  /** The reason and the position; what pvmfw would refuse goes by the name of its error. */
  static String reason(AttestationException e) {
    String message = Text.printable(String.valueOf(e.getMessage()));
    return e instanceof PvmfwException pvmfw
        ? pvmfw.error() + ": " + message + " [" + pvmfw.rebootReason().line() + "]"
        : message;
  }

  private static String explain(IOException e) {
    if (e instanceof NoSuchFileException) {
      return e.getMessage() + " does not exist";
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
