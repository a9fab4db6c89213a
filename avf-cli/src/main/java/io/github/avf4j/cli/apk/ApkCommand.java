package io.github.avf4j.cli.apk;

import picocli.CommandLine.Command;

/** {@code avf apk}. */
@Command(
    name = "apk",
    description = "Makes, verifies and signs payload packages, and makes their idsig files.",
    mixinStandardHelpOptions = true,
    subcommands = {
      ApkMakeCommand.class,
      ApkVerifyCommand.class,
      ApkIdsigCommand.class,
      ApkSignCommand.class
    })
public final class ApkCommand {
  ApkCommand() {}
}
