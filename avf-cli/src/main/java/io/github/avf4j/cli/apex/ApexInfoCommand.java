package io.github.avf4j.cli.apex;

import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.Table;
import io.github.avf4j.microdroid.apex.ApexFile;
import io.github.avf4j.microdroid.apex.ApexPayload;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code avf apex info}. */
@Command(
    name = "info",
    description = "Shows what an APEX says of itself. Its structure is checked, nothing verified.",
    mixinStandardHelpOptions = true)
final class ApexInfoCommand extends FileCommand {
  @Parameters(paramLabel = "FILE", description = "The APEX.")
  private Path file = Path.of("");

  @Override
  protected void run() throws IOException {
    try (FileChannel channel = InputFile.open(file)) {
      ApexFile apex = ApexFile.open(ImageSource.of(channel));
      ApexPayload payload = apex.payload();
      Table table = ApexTable.of(apex.manifest());
      ApexTable.key(table, apex.publicKey());
      ApexTable.payload(
          table,
          payload.fileSystem(),
          payload.offset(),
          payload.image().size(),
          payload.hashtree());
      table.row(
          "signed by",
          payload
              .vbmeta()
              .algorithm()
              .map(AvbAlgorithm::name)
              .orElse("unknown algorithm " + payload.vbmeta().header().algorithm()));
      table.print(out());
    }
  }
}
