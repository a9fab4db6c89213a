package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.OutputFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code avf attest root}. */
@Command(
    name = "root",
    description = {
      "Prints the certificate of the root with which this host vouches for its own machines, in PEM;"
          + " makes the root if there is none.",
      "It is this host's own and none of Google's: who accepts it believes this host's owner."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class AttestRootCommand extends FileCommand {
  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Where to write it; standard output otherwise.")
  private @Nullable Path output;

  @Option(
      names = "--root-file",
      paramLabel = "FILE",
      description =
          "The file in which key and certificate are kept; avf4j/attestation-root in the user's data"
              + " folder otherwise.")
  private @Nullable Path rootFile;

  @Override
  protected void run() {
    try (HostRoot root =
        HostRoot.openOrCreate(rootFile == null ? HostRoot.fileOfUser() : rootFile)) {
      if (output == null) {
        out().print(root.toPem());
      } else {
        OutputFile.write(output, root.toPem().getBytes(StandardCharsets.US_ASCII));
      }
    }
  }
}
