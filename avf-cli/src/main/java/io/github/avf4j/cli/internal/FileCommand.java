package io.github.avf4j.cli.internal;

import io.github.avf4j.BaseImageException;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.VirtualMachineException;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.cli.ExitCode;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.microdroid.image.ImageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A command that reads what somebody else made: it ends with 0 if that is valid, with 1 and the
 * reason on standard error if it was read and refused, and with 2 if it could not be read, or the
 * result not written; never with a stack trace.
 */
public abstract class FileCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  /** Makes a command; picocli fills it. */
  protected FileCommand() {}

  /**
   * Does the work; whatever is refused is thrown.
   *
   * @throws AttestationException if the input is refused
   * @throws ImageException if it is an image that is refused
   * @throws InvalidImageException if a machine could not boot from it
   * @throws VirtualMachineException if the output cannot be written
   * @throws UnusableInputException if it is missing, empty or unreadable
   * @throws IOException if it cannot be read, or the output not written
   */
  protected abstract void run() throws IOException;

  /** Tells a machine that reads standard output about a refusal; nothing unless overridden. */
  protected void refused(AttestationException reason) {}

  @Override
  public final Integer call() {
    try {
      run();
      return ExitCode.OK;
    } catch (AttestationException e) {
      refused(e);
      err().println("avf: refused: " + reason(e));
      return ExitCode.REFUSED;
    } catch (ImageException | InvalidImageException e) {
      boolean missing =
          e instanceof BaseImageException base
              && base.reason() == BaseImageException.Reason.PART_MISSING;
      err()
          .println(
              (missing ? "avf: " : "avf: refused: ")
                  + Text.printable(String.valueOf(e.getMessage())));
      return missing ? ExitCode.UNUSABLE : ExitCode.REFUSED;
    } catch (UnusableInputException | VirtualMachineException e) {
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
  private static String reason(AttestationException e) {
    String message = Text.printable(String.valueOf(e.getMessage()));
    return e instanceof PvmfwException pvmfw
        ? pvmfw.error() + ": " + message + " [" + pvmfw.rebootReason().line() + "]"
        : message;
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

  /** Prints a line of a report. */
  protected final void line(String name, Object value) {
    out().println("%-14s %s".formatted(name, Text.printable(String.valueOf(value))));
  }

  /** Standard output. */
  public final PrintWriter out() {
    return command().commandLine().getOut();
  }

  /** Standard error. */
  public final PrintWriter err() {
    return command().commandLine().getErr();
  }

  /** A bar for long work. */
  protected final ProgressBar bar(String what) {
    return new ProgressBar(err(), what);
  }

  /** Says that options contradict each other, or that one has an impossible value. */
  public final ParameterException usage(String message) {
    return new ParameterException(command().commandLine(), message);
  }

  /** Refuses an output that would become a part of the folder that it is made of. */
  protected final void requireOutside(Path output, Path folder) throws IOException {
    Path parent = output.toAbsolutePath().normalize().getParent();
    if (Files.isDirectory(folder)
        && parent != null
        && Files.exists(parent)
        && parent.toRealPath().startsWith(folder.toRealPath())) {
      throw usage("OUT must not be in %s, which it would become a part of".formatted(folder));
    }
  }

  private CommandSpec command() {
    CommandSpec command = spec;
    if (command == null) {
      throw new IllegalStateException("the command was not made by picocli");
    }
    return command;
  }
}
