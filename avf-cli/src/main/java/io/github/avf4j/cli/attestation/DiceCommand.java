package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceChainTree;
import io.github.avf4j.attestation.dice.VerifiedDiceChain;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.Text;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code avf dice}. */
@Command(
    name = "dice",
    description = "Shows and verifies DICE chains.",
    mixinStandardHelpOptions = true,
    subcommands = {DiceCommand.Show.class, DiceCommand.Verify.class})
public final class DiceCommand {
  /** What both commands read. */
  abstract static class OfChain extends JudgingCommand {
    @Parameters(paramLabel = "FILE", description = "A chain in CBOR.")
    private Path file = Path.of("");

    @Mixin final ChainOptions options = new ChainOptions();

    DiceChain chain() {
      return DiceChain.decode(InputFile.read(file, DiceChain.MAX_BYTES));
    }
  }

  /** {@code avf dice show}. */
  @Command(
      name = "show",
      description =
          "Draws a chain as a tree. Its signatures and rules are not verified, so that any chain"
              + " can be looked at.",
      mixinStandardHelpOptions = true,
      sortOptions = false)
  static final class Show extends OfChain {
    @Override
    protected void run() {
      DiceChain chain = chain();
      if (isJson()) {
        print(Json.chain(Json.object(), chain));
      } else {
        out().print(DiceChainTree.draw(chain));
      }
    }
  }

  /** {@code avf dice verify}. */
  @Command(
      name = "verify",
      description = "Verifies signatures and rules of a chain, android.14 to android.16.",
      mixinStandardHelpOptions = true,
      sortOptions = false)
  static final class Verify extends OfChain {
    @Override
    protected void run() {
      VerifiedDiceChain verified = chain().verify(options.rules());
      if (isJson()) {
        var node = Json.chain(Json.object().put("valid", true), verified.chain());
        Json.warnings(node, verified.warnings());
        print(node);
        return;
      }
      verified.warnings().forEach(w -> out().println("warning: " + Text.printable(w.toString())));
      int count = verified.certificates().size();
      out()
          .println(
              "valid: a chain of "
                  + count
                  + (count == 1 ? " certificate" : " certificates")
                  + (verified.isNormalMode() ? ", all in normal mode" : ", not all in normal mode")
                  + (verified.isDegenerate() ? ", degenerate" : ""));
    }
  }

  DiceCommand() {}
}
