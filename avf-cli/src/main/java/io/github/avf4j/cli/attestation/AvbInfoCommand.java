package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.DescriptorList;
import io.github.avf4j.attestation.avb.VbmetaHeader;
import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.OutputFile;
import io.github.avf4j.cli.internal.Text;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code avf avb info}. */
@Command(
    name = "info",
    aliases = "info_image",
    description = "Shows footer, header and descriptors of an image. Nothing is verified.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class AvbInfoCommand extends FileCommand {
  @Mixin private final ImageOption image = new ImageOption();

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Where the text is written to; standard output otherwise.")
  private @Nullable Path output;

  @Override
  protected void run() throws IOException {
    if (output == null) {
      show(out());
      return;
    }
    StringWriter text = new StringWriter();
    try {
      show(new PrintWriter(text));
    } finally {
      if (text.getBuffer().length() > 0) {
        OutputFile.write(output, text.toString().getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private void show(PrintWriter to) throws IOException {
    try (FileChannel file = InputFile.open(image.file())) {
      ImageSource source = ImageSource.of(file);
      Optional<AvbFooter> footer = AvbFooter.find(source);
      VbmetaImage vbmeta = VbmetaImage.find(source);
      if (footer.isPresent()) {
        line(to, "Footer version:", "1.0");
        line(to, "Image size:", source.size() + " bytes");
        line(to, "Original image size:", unsigned(footer.get().originalImageSize()) + " bytes");
        line(to, "VBMeta offset:", unsigned(footer.get().vbmetaOffset()));
        line(to, "VBMeta size:", unsigned(footer.get().vbmetaSize()) + " bytes");
        to.println("--");
      }
      show(vbmeta, to);
    }
  }

  private static void show(VbmetaImage vbmeta, PrintWriter to) {
    VbmetaHeader header = vbmeta.header();
    line(to, "Minimum libavb version:", header.requiredMajor() + "." + header.requiredMinor());
    line(to, "Header Block:", VbmetaHeader.SIZE + " bytes");
    line(to, "Authentication Block:", header.authenticationSize() + " bytes");
    line(to, "Auxiliary Block:", header.auxiliarySize() + " bytes");
    if (!vbmeta.publicKey().isEmpty()) {
      line(to, "Public key (sha1):", key(vbmeta));
    }
    line(
        to,
        "Algorithm:",
        vbmeta.algorithm().map(AvbAlgorithm::name).orElse("unknown, " + header.algorithm()));
    line(to, "Rollback Index:", unsigned(header.rollbackIndex()));
    line(to, "Flags:", String.valueOf(header.flags()));
    line(to, "Rollback Index Location:", String.valueOf(header.rollbackIndexLocation()));
    line(to, "Release String:", "'" + Text.printable(header.releaseString()) + "'");
    DescriptorList list = vbmeta.descriptorList();
    to.println("Descriptors:");
    if (list.descriptors().isEmpty()) {
      to.println("    (none)");
    }
    list.descriptors().forEach(descriptor -> DescriptorText.print(descriptor, to));
    list.requireComplete();
  }

  private static String key(VbmetaImage vbmeta) {
    try {
      return AvbPublicKey.parse(vbmeta.publicKey()).sha1();
    } catch (AvbException e) {
      return "malformed: " + e.getMessage();
    }
  }

  private static void line(PrintWriter to, String label, String value) {
    to.printf("%-25s %s%n", label, value);
  }

  private static String unsigned(long value) {
    return Long.toUnsignedString(value);
  }
}
