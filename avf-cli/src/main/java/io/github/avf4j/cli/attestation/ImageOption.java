package io.github.avf4j.cli.attestation;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The image of a command: {@code --image FILE}, or FILE alone. */
final class ImageOption {
  /** The two ways to say it. */
  static final class Either {
    @Option(names = "--image", paramLabel = "FILE", description = "The image.")
    private @Nullable Path named;

    @Parameters(paramLabel = "FILE", arity = "1", description = "The same as --image.")
    private @Nullable Path positional;
  }

  @ArgGroup(multiplicity = "1")
  private Either either = new Either();

  /** The image. */
  Path file() {
    Path named = either.named;
    Path positional = either.positional;
    return named != null ? named : positional != null ? positional : Path.of("");
  }
}
