package io.github.avf4j.cli.attestation;

import picocli.CommandLine.Command;

/** {@code avf avb}. */
@Command(
    name = "avb",
    description = {
      "Shows, verifies and makes images of Android Verified Boot.",
      "Options have the names that they have in avbtool."
    },
    mixinStandardHelpOptions = true,
    subcommands = {
      AvbInfoCommand.class,
      AvbVerifyCommand.class,
      AvbMakeVbmetaCommand.class,
      AvbHashFooterCommand.class,
      AvbHashtreeFooterCommand.class
    })
public final class AvbCommand {
  AvbCommand() {}
}
