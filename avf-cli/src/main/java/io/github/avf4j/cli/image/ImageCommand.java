package io.github.avf4j.cli.image;

import picocli.CommandLine.Command;

/** {@code avf image}. */
@Command(
    name = "image",
    description = "Makes, shows and verifies images; their formats are told by their magic.",
    footer = {
      "",
      "Known are sparse, composite, boot, vendor_boot, EROFS and instance images, new encrypted",
      "stores, and disks with a GUID partition table."
    },
    mixinStandardHelpOptions = true,
    subcommands = {ImageMakeCommand.class, ImageInfoCommand.class, ImageVerifyCommand.class})
public final class ImageCommand {
  ImageCommand() {}
}
