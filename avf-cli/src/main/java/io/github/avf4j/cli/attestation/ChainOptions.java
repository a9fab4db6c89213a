package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.RkpInstance;
import io.github.avf4j.cli.internal.ValueConverters;
import picocli.CommandLine.Option;

/** What is accepted of a DICE chain. */
final class ChainOptions {
  @Option(
      names = "--instance",
      paramLabel = "NAME",
      converter = ValueConverters.Instance.class,
      defaultValue = "default",
      description = "Whose chain it is: default, avf, strongbox or widevine (${DEFAULT-VALUE}).")
  private RkpInstance instance = RkpInstance.DEFAULT;

  @Option(
      names = "--allow-any-mode",
      description = "Accepts layers in debug, recovery or no mode at all.")
  private boolean allowAnyMode;

  @Option(
      names = "--allow-degenerate",
      description =
          "Accepts one self-signed certificate as a chain; requests of version 2 may have one in any"
              + " case.")
  private boolean allowDegenerate;

  DiceChainRules rules() {
    return DiceChainRules.DEFAULT
        .withInstance(instance)
        .withAnyMode(allowAnyMode)
        .withDegenerate(allowDegenerate);
  }
}
