package io.github.avf4j.cli.microdroid;

import picocli.CommandLine.Command;

/** {@code avf microdroid}. */
@Command(
    name = "microdroid",
    description = "Makes and verifies what Microdroid boots from.",
    mixinStandardHelpOptions = true,
    subcommands = {MicrodroidBuildCommand.class, MicrodroidVerifyCommand.class})
public final class MicrodroidCommand {
  MicrodroidCommand() {}
}
