package io.github.avf4j.cli.apk;

import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.ValueConverters;
import io.github.avf4j.microdroid.apk.ApkWriter;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code avf apk make}. */
@Command(
    name = "make",
    description = {
      "Makes an APK of files, for guests: it has no code for Android. The same input makes the same",
      "bytes, signed ones with an RSA key only."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ApkMakeCommand extends FileCommand {
  /** A file and its place. */
  record Addition(String path, Path file) {}

  /** Reads {@code PATH=FILE}. */
  static final class AdditionConverter implements ITypeConverter<Addition> {
    @Override
    public Addition convert(String text) {
      int equals = text.indexOf('=');
      if (equals <= 0 || equals == text.length() - 1) {
        throw new TypeConversionException("a file is PATH=FILE, but was \"" + text + '"');
      }
      return new Addition(text.substring(0, equals), Path.of(text.substring(equals + 1)));
    }
  }

  @Option(
      names = "--package",
      paramLabel = "NAME",
      required = true,
      description = "The package, such as com.example.payload.")
  private String packageName = "";

  @Option(
      names = "--version-code",
      paramLabel = "N",
      converter = ValueConverters.Unsigned.class,
      description = "The version (1).")
  private long versionCode = 1;

  @ArgGroup(exclusive = false)
  private @Nullable SignerOptions signer;

  @Option(
      names = "--add",
      paramLabel = "PATH=FILE",
      converter = AdditionConverter.class,
      description = {
        "A file and its path in the APK, such as lib/x86_64/libpayload.so=libpayload.so; may be",
        "given more than once."
      })
  private List<Addition> additions = new ArrayList<>();

  @Parameters(paramLabel = "OUT", description = "The APK to make.")
  private Path target = Path.of("");

  @Override
  protected void run() throws IOException {
    ApkWriter writer = new ApkWriter(packageName).versionCode(versionCode);
    for (Addition addition : additions) {
      if (!Files.exists(addition.file())) {
        throw new NoSuchFileException(addition.file().toString());
      }
      writer.add(addition.path(), addition.file());
    }
    SignerOptions both = signer;
    if (both == null) {
      writer.write(target);
      line("signature", "none: no guest takes this APK before \"avf apk sign\" signs it");
      return;
    }
    VerifiedApk apk = writer.writeSigned(target, both.read());
    line("digest", apk.contentDigest().toHex());
    line("certificate", "sha512:" + apk.certificateHash().toHex());
    apk.remarks().forEach(remark -> line("remark", remark));
  }
}
