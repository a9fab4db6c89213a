package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.avb.ImageReport;
import io.github.avf4j.attestation.avb.ImageVerifier;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.cli.internal.RefusedException;
import io.github.avf4j.cli.internal.Text;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code avf avb verify}. */
@Command(
    name = "verify",
    aliases = "verify_image",
    description = {
      "Verifies the signature of an image and the partitions that it describes, which are files"
          + " next to it unless --partition says so."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class AvbVerifyCommand extends FileCommand {
  @Mixin private final ImageOption image = new ImageOption();

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description = "The key that must have signed, in PEM or as a blob; any otherwise.")
  private @Nullable Path key;

  @Option(
      names = {"--follow-chain", "--follow_chain_partitions"},
      description = "Verifies the images of chained partitions, too.")
  private boolean followChain;

  @Option(
      names = "--expected_chain_partition",
      paramLabel = "NAME:LOCATION:KEY",
      converter = ChainPartition.Converter.class,
      description = "What a chain descriptor must say; may be given several times.")
  private List<ChainPartition> expectedChains = new ArrayList<>();

  @Option(
      names = "--partition",
      paramLabel = "NAME=FILE",
      description = "The file of a partition; may be given several times.")
  private Map<String, Path> partitions = Map.of();

  @Option(
      names = "--accept_zeroed_hashtree",
      description = "Accepts a stored tree that is zeroed and made at first use.")
  private boolean acceptZeroedHashtree;

  @Override
  protected void run() throws IOException {
    Path file = image.file();
    InputFile.requireFile(file);
    ImageVerifier verifier = new ImageVerifier();
    if (key != null) {
      verifier.expectedKey(KeyFiles.publicKey(key));
    }
    if (followChain) {
      verifier.followChains();
    }
    if (acceptZeroedHashtree) {
      verifier.acceptZeroedHashtree();
    }
    for (ChainPartition chain : expectedChains) {
      verifier.expectedChain(chain.name(), chain.location(), chain.key());
    }
    for (Map.Entry<String, Path> partition : partitions.entrySet()) {
      // A file that is missing is no refusal.
      InputFile.open(partition.getValue()).close();
      verifier.partition(partition.getKey(), partition.getValue());
    }
    ImageReport report = verifier.verify(file);
    report.checks().forEach(check -> out().println(Text.printable(check.toString())));
    if (!report.isOk()) {
      throw new RefusedException(report.decisive().subject() + ": " + report.decisive().detail());
    }
    out().println("valid");
  }
}
