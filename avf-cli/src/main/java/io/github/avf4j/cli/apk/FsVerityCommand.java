package io.github.avf4j.cli.apk;

import picocli.CommandLine.Command;

/** {@code avf fsverity}. */
@Command(
    name = "fsverity",
    description = "Computes what fs-verity computes.",
    mixinStandardHelpOptions = true,
    subcommands = FsVerityDigestCommand.class)
public final class FsVerityCommand {
  FsVerityCommand() {}
}
