package io.github.avf4j.cli;

import io.github.avf4j.VirtualMachineException;
import io.github.avf4j.cli.apex.ApexCommand;
import io.github.avf4j.cli.apk.ApkCommand;
import io.github.avf4j.cli.apk.FsVerityCommand;
import io.github.avf4j.cli.attestation.AttestCommand;
import io.github.avf4j.cli.attestation.AvbCommand;
import io.github.avf4j.cli.attestation.CsrCommand;
import io.github.avf4j.cli.attestation.DiceCommand;
import io.github.avf4j.cli.attestation.InstanceCommand;
import io.github.avf4j.cli.attestation.PvmfwCommand;
import io.github.avf4j.cli.attestation.PvmfwConfigCommand;
import io.github.avf4j.cli.image.DiskCommand;
import io.github.avf4j.cli.image.ImageCommand;
import io.github.avf4j.cli.microdroid.MicrodroidCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The entry of the command line tool. */
@Command(
    name = "avf",
    description = "Virtual machines, as in the Android Virtualization Framework.",
    mixinStandardHelpOptions = true,
    versionProvider = AvfCommand.Version.class,
    subcommands = {
      InfoCommand.class,
      RunCommand.class,
      RunAppCommand.class,
      DiceCommand.class,
      CsrCommand.class,
      AvbCommand.class,
      AttestCommand.class,
      PvmfwConfigCommand.class,
      PvmfwCommand.class,
      InstanceCommand.class,
      ApkCommand.class,
      ApexCommand.class,
      FsVerityCommand.class,
      ImageCommand.class,
      DiskCommand.class,
      MicrodroidCommand.class
    })
public final class AvfCommand {
  AvfCommand() {}

  /** Runs the tool and ends the JVM with its exit code. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new AvfCommand());
    commandLine.setUnmatchedOptionsArePositionalParams(false);
    commandLine.setExecutionExceptionHandler(AvfCommand::explain);
    commandLine.setParameterExceptionHandler(
        (exception, arguments) -> {
          CommandLine failed = exception.getCommandLine();
          failed.getErr().println("avf: " + exception.getMessage());
          failed.getErr().println("see: " + failed.getCommandSpec().qualifiedName() + " --help");
          return ExitCode.UNUSABLE;
        });
    return commandLine;
  }

  /** One line for people: all that this library throws says what to do. */
  private static int explain(
      Exception exception, CommandLine commandLine, CommandLine.ParseResult result) {
    boolean expected =
        exception instanceof VirtualMachineException
            || exception instanceof IllegalArgumentException
            || exception instanceof IllegalStateException;
    commandLine
        .getErr()
        .println("avf: " + (expected ? exception.getMessage() : exception.toString()));
    return ExitCode.UNUSABLE;
  }

  /** Says which version this is. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = AvfCommand.class.getPackage().getImplementationVersion();
      return new String[] {"avf " + (version == null ? "(unpacked build)" : version)};
    }
  }
}
