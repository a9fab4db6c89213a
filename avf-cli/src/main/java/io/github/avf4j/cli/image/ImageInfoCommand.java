package io.github.avf4j.cli.image;

import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.Table;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code avf image info}. */
@Command(
    name = "info",
    description = "Shows what an image is and has, after a look at its headers.",
    mixinStandardHelpOptions = true)
final class ImageInfoCommand extends FileCommand {
  @Parameters(paramLabel = "FILE", description = "The image.")
  private Path file = Path.of("");

  @Override
  protected void run() throws IOException {
    Table table = new Table();
    ImageInspector.inspect(file, table);
    table.print(out());
  }
}
