package io.github.avf4j.cli.apex;

import picocli.CommandLine.Command;

/** {@code avf apex}. */
@Command(
    name = "apex",
    description = "Shows, verifies and makes APEX files, the packages of Android's modules.",
    mixinStandardHelpOptions = true,
    subcommands = {ApexInfoCommand.class, ApexVerifyCommand.class, ApexMakeCommand.class})
public final class ApexCommand {
  ApexCommand() {}
}
