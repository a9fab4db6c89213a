package io.github.avf4j.cli.attestation;

import picocli.CommandLine.Command;

/** {@code avf csr}. */
@Command(
    name = "csr",
    description = "Verifies certificate signing requests of devices and machines.",
    mixinStandardHelpOptions = true,
    subcommands = CsrVerifyCommand.class)
public final class CsrCommand {
  CsrCommand() {}
}
