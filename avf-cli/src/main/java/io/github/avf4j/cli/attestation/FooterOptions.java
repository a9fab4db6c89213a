package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.ValueConverters;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What the two commands that append a footer have in common. */
final class FooterOptions {
  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "The image, which is changed; FILE alone means the same.")
  private @Nullable Path image;

  @picocli.CommandLine.Parameters(
      paramLabel = "FILE",
      arity = "0..1",
      description = "The same as --image.")
  private @Nullable Path positional;

  @Option(
      names = "--partition_size",
      paramLabel = "N",
      converter = ValueConverters.Unsigned.class,
      defaultValue = "0",
      description = "The size of the file afterwards, a multiple of 4096.")
  long partitionSize;

  @Option(
      names = "--partition_name",
      paramLabel = "NAME",
      description = "The partition without A/B suffix.")
  private @Nullable String partitionName;

  @Option(
      names = "--salt",
      paramLabel = "HEX",
      converter = ValueConverters.Hex.class,
      description = "The salt; random otherwise.")
  @Nullable ByteSlice salt;

  @Option(
      names = "--calc_max_image_size",
      description = "Prints the size of the largest image that fits, and makes nothing.")
  boolean calculateMaxImageSize;

  @Option(
      names = "--output_vbmeta_image",
      paramLabel = "FILE",
      description = "Where the vbmeta image is written to, too.")
  @Nullable Path outputVbmeta;

  @Option(
      names = "--do_not_append_vbmeta_image",
      description = "Appends neither vbmeta image nor footer.")
  boolean doNotAppend;

  @Option(names = "--use_persistent_digest", description = "Leaves the digest out.")
  boolean persistentDigest;

  @Option(names = "--do_not_use_ab", description = "Says that there is no A/B suffix.")
  boolean doNotUseAb;

  /** The image; wrong usage if it is missing, or named twice. */
  Path file(FileCommand command) {
    if (image != null && positional != null) {
      throw command.usage("the image is named twice: --image " + image + " and " + positional);
    }
    Path named = image != null ? image : positional;
    if (named == null) {
      throw command.usage("missing required option: '--image=FILE'");
    }
    return named;
  }

  /** The name of the partition; wrong usage if it is missing. */
  String requirePartitionName(FileCommand command) {
    if (partitionName == null) {
      throw command.usage("missing required option: '--partition_name=NAME'");
    }
    return partitionName;
  }

  String partitionName() {
    return partitionName == null ? "" : partitionName;
  }
}
