package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.ChainPartitionDescriptor;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.attestation.avb.KernelCommandLineDescriptor;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.avb.VbmetaHeader;
import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.cli.internal.RefusedException;
import io.github.avf4j.cli.internal.UnusableInputException;
import io.github.avf4j.cli.internal.ValueConverters;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What goes into a vbmeta image, in all commands that make one. */
final class VbmetaOptions {
  @Option(
      names = "--algorithm",
      paramLabel = "NAME",
      defaultValue = "NONE",
      description = "How to sign: ${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
  private AvbAlgorithm algorithm = AvbAlgorithm.NONE;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description = "The private key in PEM; with a helper the public one will do.")
  private @Nullable Path key;

  @Option(
      names = "--signing_helper",
      paramLabel = "PROGRAM",
      description = {
        "Signs in the place of this command: PROGRAM ALGORITHM KEY reads the padded digest and",
        "writes the signature."
      })
  private @Nullable Path signingHelper;

  @Option(
      names = "--signing_helper_with_files",
      paramLabel = "PROGRAM",
      description = {
        "The same through a file: PROGRAM ALGORITHM KEY FILE replaces the padded digest in FILE by",
        "the signature."
      })
  private @Nullable Path signingHelperWithFiles;

  @Option(
      names = "--public_key_metadata",
      paramLabel = "FILE",
      description = "What is put next to the public key.")
  private @Nullable Path publicKeyMetadata;

  @Option(
      names = "--rollback_index",
      paramLabel = "N",
      converter = ValueConverters.Unsigned.class,
      defaultValue = "0",
      description = "The rollback index (${DEFAULT-VALUE}).")
  private long rollbackIndex;

  @Option(
      names = "--rollback_index_location",
      paramLabel = "N",
      converter = ValueConverters.Whole.class,
      defaultValue = "0",
      description = "Where the rollback index is stored, 0 to 31 (${DEFAULT-VALUE}).")
  private int rollbackIndexLocation;

  @Option(
      names = "--append_to_release_string",
      paramLabel = "TEXT",
      description = "What is put behind the release string.")
  private @Nullable String appendToReleaseString;

  @Option(
      names = "--internal_release_string",
      paramLabel = "TEXT",
      description = "Replaces the release string.")
  private @Nullable String releaseString;

  @Option(
      names = "--prop",
      paramLabel = "KEY:VALUE",
      converter = PropertyConverter.class,
      description = "A property; may be given several times.")
  private List<PropertyDescriptor> properties = new ArrayList<>();

  @Option(
      names = "--prop_from_file",
      paramLabel = "KEY:FILE",
      converter = PropertyFileConverter.class,
      description = "A property whose value is in a file; may be given several times.")
  private List<PropertyFile> propertyFiles = new ArrayList<>();

  @Option(
      names = "--kernel_cmdline",
      paramLabel = "TEXT",
      description = "Arguments for the kernel; may be given several times.")
  private List<String> kernelCommandLines = new ArrayList<>();

  @Option(
      names = {"--setup_rootfs_from_kernel", "--generate_dm_verity_cmdline_from_hashtree"},
      paramLabel = "FILE",
      description = "Adds the arguments by which a kernel mounts this hashtree image as its root.")
  private @Nullable Path rootImage;

  @Option(
      names = "--include_descriptors_from_image",
      paramLabel = "FILE",
      description = "Takes over the descriptors of an image; may be given several times.")
  private List<Path> includedImages = new ArrayList<>();

  @Option(
      names = "--chain_partition",
      paramLabel = "NAME:LOCATION:KEY",
      converter = ChainPartition.Converter.class,
      description = "A partition with an image of its own; may be given several times.")
  private List<ChainPartition> chains = new ArrayList<>();

  @Option(
      names = "--chain_partition_do_not_use_ab",
      paramLabel = "NAME:LOCATION:KEY",
      converter = ChainPartition.Converter.class,
      description = "The same for a partition without A/B suffix.")
  private List<ChainPartition> chainsWithoutAb = new ArrayList<>();

  @Option(
      names = "--flags",
      paramLabel = "N",
      converter = ValueConverters.Whole.class,
      defaultValue = "0",
      description = "The flags of the header (${DEFAULT-VALUE}).")
  private int flags;

  @Option(
      names = "--set_hashtree_disabled_flag",
      description = "Sets the flag that turns dm-verity off.")
  private boolean hashtreeDisabled;

  @Option(
      names = "--set_verification_disabled_flag",
      description = "Sets the flag that turns all checks of descriptors off.")
  private boolean verificationDisabled;

  @Option(
      names = "--print_required_libavb_version",
      description = "Prints the version of libavb that the image would need, and makes nothing.")
  private boolean printVersion;

  /** A property whose value is in a file. */
  record PropertyFile(String key, Path file) {}

  boolean printVersion() {
    return printVersion;
  }

  /**
   * The image so far.
   *
   * @throws UnusableInputException if a file is missing, empty or unreadable
   */
  VbmetaBuilder builder(FileCommand command) throws IOException {
    VbmetaBuilder vbmeta = new VbmetaBuilder().rollbackIndex(rollbackIndex);
    if (rollbackIndexLocation < 0 || rollbackIndexLocation > 31) {
      throw command.usage(
          "--rollback_index_location must be in 0..31 but was " + rollbackIndexLocation);
    }
    vbmeta.rollbackIndexLocation(rollbackIndexLocation).flags(headerFlags());
    if (!printVersion) {
      sign(vbmeta, command);
    }
    if (publicKeyMetadata != null) {
      vbmeta.publicKeyMetadata(content(publicKeyMetadata));
    }
    if (releaseString != null) {
      vbmeta.releaseString(releaseString);
    }
    if (appendToReleaseString != null) {
      vbmeta.appendToReleaseString(appendToReleaseString);
    }
    addChains(vbmeta, command);
    properties.forEach(vbmeta::add);
    for (PropertyFile property : propertyFiles) {
      vbmeta.add(new PropertyDescriptor(property.key(), content(property.file())));
    }
    if (rootImage != null) {
      KernelCommandLineDescriptor.forRoot(hashtree(rootImage)).forEach(vbmeta::add);
    }
    kernelCommandLines.forEach(text -> vbmeta.add(new KernelCommandLineDescriptor(0, text)));
    for (Path image : includedImages) {
      vbmeta.includeDescriptorsOf(read(image));
    }
    return vbmeta;
  }

  private static VbmetaImage read(Path image) throws IOException {
    try (FileChannel file = InputFile.open(image)) {
      return VbmetaImage.find(ImageSource.of(file));
    }
  }

  private static HashtreeDescriptor hashtree(Path image) throws IOException {
    return read(image).descriptors().stream()
        .filter(HashtreeDescriptor.class::isInstance)
        .map(HashtreeDescriptor.class::cast)
        .findFirst()
        .orElseThrow(() -> new RefusedException(image + " holds no hashtree descriptor"));
  }

  private int headerFlags() {
    return flags
        | (hashtreeDisabled ? VbmetaHeader.HASHTREE_DISABLED : 0)
        | (verificationDisabled ? VbmetaHeader.VERIFICATION_DISABLED : 0);
  }

  private void sign(VbmetaBuilder vbmeta, FileCommand command) {
    if (signingHelper != null && signingHelperWithFiles != null) {
      throw command.usage("there must be one of --signing_helper and --signing_helper_with_files");
    }
    if (algorithm.isSigned()) {
      if (key == null) {
        throw command.usage("--algorithm " + algorithm + " needs a --key");
      }
      vbmeta.signedBy(signer(key), algorithm);
    } else if (key != null) {
      command.err().println("avf: the key is not used, since the algorithm is NONE");
    }
  }

  private AvbSigner signer(Path keyFile) {
    if (signingHelper != null) {
      return SigningHelper.withPipes(signingHelper, keyFile);
    }
    return signingHelperWithFiles != null
        ? SigningHelper.withFiles(signingHelperWithFiles, keyFile)
        : KeyFiles.signer(keyFile);
  }

  private void addChains(VbmetaBuilder vbmeta, FileCommand command) {
    Set<Integer> locations = new HashSet<>();
    locations.add(rollbackIndexLocation);
    List<ChainPartition> all = new ArrayList<>(chains);
    all.addAll(chainsWithoutAb);
    for (ChainPartition chain : all) {
      if (!locations.add(chain.location())) {
        throw command.usage("rollback index location " + chain.location() + " is taken twice");
      }
    }
    chains.forEach(chain -> add(vbmeta, chain, 0));
    chainsWithoutAb.forEach(chain -> add(vbmeta, chain, ChainPartitionDescriptor.DO_NOT_USE_AB));
  }

  private static void add(VbmetaBuilder vbmeta, ChainPartition chain, int flags) {
    vbmeta.add(
        new ChainPartitionDescriptor(chain.location(), chain.name(), chain.key().blob(), flags));
  }

  private static ByteSlice content(Path file) {
    return ByteSlice.takeOver(InputFile.read(file, VbmetaImage.MAX_SIZE));
  }

  /** The version of libavb that an image needs. */
  static String requiredVersion(ByteSlice vbmeta) {
    VbmetaHeader header = VbmetaImage.parse(vbmeta).header();
    return header.requiredMajor() + "." + header.requiredMinor();
  }

  /** Reads {@code KEY:VALUE}. */
  static final class PropertyConverter implements ITypeConverter<PropertyDescriptor> {
    @Override
    public PropertyDescriptor convert(String text) {
      int colon = colon(text);
      return PropertyDescriptor.of(text.substring(0, colon), text.substring(colon + 1));
    }
  }

  /** Reads {@code KEY:FILE}. */
  static final class PropertyFileConverter implements ITypeConverter<PropertyFile> {
    @Override
    public PropertyFile convert(String text) {
      int colon = colon(text);
      try {
        return new PropertyFile(text.substring(0, colon), Path.of(text.substring(colon + 1)));
      } catch (InvalidPathException e) {
        throw new TypeConversionException("\"" + text.substring(colon + 1) + "\" is not a path");
      }
    }
  }

  private static int colon(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new TypeConversionException(
          "a property is a key, a colon and a value, but was \"" + text + '"');
    }
    return colon;
  }
}
