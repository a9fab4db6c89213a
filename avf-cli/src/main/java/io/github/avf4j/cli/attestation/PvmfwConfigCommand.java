package io.github.avf4j.cli.attestation;

import picocli.CommandLine.Command;

/** {@code avf pvmfw-config}. */
@Command(
    name = "pvmfw-config",
    description = "Shows and makes the configuration data of the firmware of protected machines.",
    mixinStandardHelpOptions = true,
    subcommands = {PvmfwConfigDumpCommand.class, PvmfwConfigMakeCommand.class})
public final class PvmfwConfigCommand {
  PvmfwConfigCommand() {}
}
