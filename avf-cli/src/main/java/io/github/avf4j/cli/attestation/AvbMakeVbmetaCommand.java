package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.OutputFile;
import io.github.avf4j.cli.internal.ValueConverters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code avf avb make-vbmeta}. */
@Command(
    name = "make-vbmeta",
    aliases = "make_vbmeta_image",
    description = "Makes a vbmeta image.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class AvbMakeVbmetaCommand extends FileCommand {
  private static final int MAX_PADDING = 1 << 30;

  @Option(names = "--output", paramLabel = "FILE", description = "Where the image is written to.")
  private @Nullable Path output;

  @Option(
      names = "--padding_size",
      paramLabel = "N",
      converter = ValueConverters.Whole.class,
      defaultValue = "0",
      description = "Fills the file with zeros up to a multiple of so many bytes.")
  private int paddingSize;

  @Mixin private final VbmetaOptions options = new VbmetaOptions();

  @Override
  protected void run() throws IOException {
    if (output == null && !options.printVersion()) {
      throw usage("missing required option: '--output=FILE'");
    }
    if (paddingSize < 0 || paddingSize > MAX_PADDING) {
      throw usage("--padding_size must be in 0.." + MAX_PADDING + " but was " + paddingSize);
    }
    ByteSlice vbmeta = options.builder(this).build();
    if (options.printVersion()) {
      out().println(VbmetaOptions.requiredVersion(vbmeta));
    } else if (output != null) {
      int size = vbmeta.length();
      if (paddingSize > 0) {
        size = Math.toIntExact(((long) size + paddingSize - 1) / paddingSize * paddingSize);
      }
      OutputFile.write(output, Arrays.copyOf(vbmeta.toByteArray(), size));
    }
  }
}
