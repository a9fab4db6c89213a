package io.github.avf4j.cli.attestation;

import picocli.CommandLine.Command;

/** {@code avf attest}. */
@Command(
    name = "attest",
    description =
        "Decides, as a relying party, whether certificates attest a machine; shows the root of this"
            + " host.",
    mixinStandardHelpOptions = true,
    subcommands = {AttestVerifyCommand.class, AttestRootCommand.class})
public final class AttestCommand {
  AttestCommand() {}
}
