package io.github.avf4j.cli.apex;

import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.cli.internal.ValueConverters;
import io.github.avf4j.microdroid.apex.ApexManifest;
import io.github.avf4j.microdroid.apex.ApexWriter;
import io.github.avf4j.microdroid.apex.VerifiedApex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf apex make}. */
@Command(
    name = "make",
    description = {
      "Makes an APEX: a folder becomes an EROFS image with a dm-verity tree, signed by AVB. The",
      "same input makes the same bytes."
    },
    footer = {
      "",
      "The manifest is that of Android's apexer: {\"name\": \"com.example.module\", \"version\": 1}",
      "and, if wanted, versionName, noCode, provideNativeLibs, requireNativeLibs, jniLibs,",
      "requireSharedApexLibs, provideSharedApexLibs, supportsRebootlessUpdate."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ApexMakeCommand extends FileCommand {
  /** Who signs the whole file. */
  static final class Outer {
    @Option(
        names = "--outer-key",
        paramLabel = "PEM",
        required = true,
        description = "The private key of an outer signature, RSA or EC; none by default.")
    private Path key = Path.of("");

    @Option(
        names = "--outer-cert",
        paramLabel = "PEM",
        required = true,
        description = "Its certificate, and others after it.")
    private Path certificate = Path.of("");
  }

  @Option(
      names = "--manifest",
      required = true,
      paramLabel = "JSON",
      description = "The manifest; see below.")
  private Path manifest = Path.of("");

  @Option(
      names = "--key",
      required = true,
      paramLabel = "PEM",
      description = "The private key of the payload: RSA of 2048, 4096 or 8192 bits.")
  private Path key = Path.of("");

  @Option(
      names = "--payload",
      required = true,
      paramLabel = "DIR",
      description = "The folder that becomes the file system.")
  private Path payload = Path.of("");

  @ArgGroup(exclusive = false)
  private @Nullable Outer outer;

  @Option(
      names = "--owner",
      paramLabel = "UID:GID",
      converter = ValueConverters.OwnerOfFiles.class,
      description = "The owner of all files (0:0).")
  private ValueConverters.Owner owner = ValueConverters.Owner.ROOT;

  @Option(
      names = "--mtime",
      paramLabel = "SECONDS",
      description = "The time of all files, since 1970 (0).")
  private long mtime;

  @Parameters(paramLabel = "OUT", description = "The APEX to make.")
  private Path target = Path.of("");

  @Override
  protected void run() throws IOException {
    ApexManifest parsed = ManifestJson.parse(InputFile.read(manifest, ApexManifest.MAX_SIZE));
    AvbSigner signer = KeyFiles.signer(key);
    if (!Files.exists(payload)) {
      throw new NoSuchFileException(payload.toString());
    }
    requireOutside(target, payload);
    ApexWriter writer = new ApexWriter(parsed, signer).owner(owner.uid(), owner.gid()).mtime(mtime);
    Outer both = outer;
    if (both != null) {
      writer.outerSignedBy(KeyFiles.signingKey(both.key, both.certificate));
    }
    VerifiedApex apex;
    try (ProgressBar bar = bar("making")) {
      apex = writer.write(payload, target, bar::at);
    }
    ApexVerifyCommand.print(apex, out());
  }
}
