package io.github.avf4j.cli.microdroid;

import io.github.avf4j.KernelImage;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.cli.internal.Text;
import io.github.avf4j.cli.internal.UnusableInputException;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.BaseImageBuilder;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.base.GuestRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code avf microdroid build}. */
@Command(
    name = "build",
    description = {
      "Makes a base image: a kernel, two initial RAM disks and a read-only system, signed. The same",
      "input makes the same bytes. The folder appears whole or not at all."
    },
    footer = {
      "",
      "Exit codes: 0 the image is made; 1 the input was read and refused; 2 it is missing, empty or",
      "unreadable, the output cannot be written, or the usage is wrong."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class MicrodroidBuildCommand extends FileCommand {
  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      description = "A bzImage or an ELF kernel (the one that bin/setup fetched).")
  private @Nullable Path kernel;

  @Option(
      names = "--modules",
      paramLabel = "DIR",
      description = "The kernel's modules (the folder \"modules\" next to it).")
  private @Nullable Path modules;

  @Option(
      names = "--runtime",
      paramLabel = "DIR",
      description =
          "The C library of payloads: a folder with lib64 and notice (the one that bin/setup"
              + " fetched).")
  private @Nullable Path runtime;

  @Option(
      names = "--key",
      paramLabel = "PEM",
      description =
          "The private key that signs, RSA of 4096 bits (a published one, for development only).")
  private @Nullable Path key;

  @Option(
      names = "--rollback-index",
      paramLabel = "N",
      description = "0 to 2^63 - 1 (${DEFAULT-VALUE}).",
      defaultValue = "" + BaseImageBuilder.DEFAULT_ROLLBACK_INDEX)
  private long rollbackIndex = BaseImageBuilder.DEFAULT_ROLLBACK_INDEX;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder to make, or replace (microdroid in the cache folder).")
  private @Nullable Path out;

  @Override
  protected void run() throws IOException {
    if (rollbackIndex < 0) {
      throw usage("--rollback-index must not be negative but was " + rollbackIndex);
    }
    KernelImage stock = stock();
    GuestRuntime library = runtime == null ? GuestRuntime.installed() : new GuestRuntime(runtime);
    if (kernel == null) {
      requireInstalled(stock.image(), "--kernel");
    }
    if (runtime == null) {
      requireInstalled(library.folder(), "--runtime");
    }
    InputFile.requireFile(stock.image());
    InputFile.requireFolder(stock.modules());
    InputFile.requireFolder(library.folder());
    AvbSigner signer = key == null ? DevelopmentKey.signer() : KeyFiles.signer(key);
    BaseImageBuilder builder =
        new BaseImageBuilder(stock, library).signedBy(signer).rollbackIndex(rollbackIndex);
    Path folder = out == null ? BaseImage.installed() : out;
    BaseImage image;
    try (ProgressBar bar = bar("building")) {
      image = builder.build(folder, bar::at);
    }
    out().println("made " + Text.printable(image.folder().toString()));
    out()
        .println(
            key == null
                ? "signed with the development key, which everybody has: give --key for more than"
                    + " that"
                : "signed with " + Text.printable(key.toString()));
  }

  private KernelImage stock() {
    KernelImage installed = KernelImage.installed();
    Path image = kernel == null ? installed.image() : kernel;
    return KernelImage.of(
        image, modules == null ? image.toAbsolutePath().resolveSibling("modules") : modules);
  }

  private static void requireInstalled(Path path, String option) {
    if (!Files.exists(path)) {
      throw new UnusableInputException(
          path + " does not exist: run bin/setup, which fetches it, or give " + option);
    }
  }
}
