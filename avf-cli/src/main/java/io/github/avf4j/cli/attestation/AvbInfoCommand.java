package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.DescriptorList;
import io.github.avf4j.attestation.avb.VbmetaHeader;
import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code avf avb info}. */
@Command(
    name = "info",
    aliases = "info_image",
    description = "Shows footer, header and descriptors of an image. Nothing is verified.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class AvbInfoCommand extends AttestationCommand {
  @Mixin private final ImageOption image = new ImageOption();

  @Override
  void run() throws IOException {
    try (FileChannel file = InputFile.open(image.file())) {
      ImageSource source = ImageSource.of(file);
      Optional<AvbFooter> footer = AvbFooter.find(source);
      VbmetaImage vbmeta = VbmetaImage.find(source);
      if (footer.isPresent()) {
        line("Footer version:", "1.0");
        line("Image size:", source.size() + " bytes");
        line("Original image size:", unsigned(footer.get().originalImageSize()) + " bytes");
        line("VBMeta offset:", unsigned(footer.get().vbmetaOffset()));
        line("VBMeta size:", unsigned(footer.get().vbmetaSize()) + " bytes");
        out().println("--");
      }
      show(vbmeta);
    }
  }

  private void show(VbmetaImage vbmeta) {
    VbmetaHeader header = vbmeta.header();
    line("Minimum libavb version:", header.requiredMajor() + "." + header.requiredMinor());
    line("Header Block:", VbmetaHeader.SIZE + " bytes");
    line("Authentication Block:", header.authenticationSize() + " bytes");
    line("Auxiliary Block:", header.auxiliarySize() + " bytes");
    if (!vbmeta.publicKey().isEmpty()) {
      line("Public key (sha1):", key(vbmeta));
    }
    line(
        "Algorithm:",
        vbmeta.algorithm().map(AvbAlgorithm::name).orElse("unknown, " + header.algorithm()));
    line("Rollback Index:", unsigned(header.rollbackIndex()));
    line("Flags:", String.valueOf(header.flags()));
    line("Rollback Index Location:", String.valueOf(header.rollbackIndexLocation()));
    line("Release String:", "'" + Text.printable(header.releaseString()) + "'");
    DescriptorList list = vbmeta.descriptorList();
    out().println("Descriptors:");
    if (list.descriptors().isEmpty()) {
      out().println("    (none)");
    }
    list.descriptors().forEach(descriptor -> DescriptorText.print(descriptor, out()));
    list.requireComplete();
  }

  private static String key(VbmetaImage vbmeta) {
    try {
      return AvbPublicKey.parse(vbmeta.publicKey()).sha1();
    } catch (AvbException e) {
      return "malformed: " + e.getMessage();
    }
  }

  private void line(String label, String value) {
    out().printf("%-25s %s%n", label, value);
  }

  private static String unsigned(long value) {
    return Long.toUnsignedString(value);
  }
}
