package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Checks an image file, and the files that its descriptors speak of, as {@code avbtool
 * verify_image} does.
 *
 * <p>The file of partition {@code p}, unless {@link #partition} says so, is {@code p} with the
 * extension of the image, or else {@code p} without any, in the same directory. Where neither
 * exists and the image has a footer, the image itself is taken if its original size is that of the
 * descriptor. A descriptor whose file is missing fails.
 *
 * <p>A chained image must be signed with the key that the chain descriptor names (avbtool wants the
 * key of the command instead). Confined to one thread.
 */
public final class ImageVerifier {
  private @Nullable ByteSlice expectedKey;
  private boolean followChains;
  private boolean allowFlags;
  private boolean acceptZeroedHashtree;
  private final Map<String, ChainPartitionDescriptor> expectedChains = new LinkedHashMap<>();
  private final Map<String, Path> partitions = new HashMap<>();

  /** Starts without an expected key: then the key in the image is taken as it is. */
  public ImageVerifier() {}

  /** Refuses images of any other key; compared as whole blobs. */
  public ImageVerifier expectedKey(AvbPublicKey key) {
    this.expectedKey = key.blob();
    return this;
  }

  /** Verifies the images of chained partitions, too. */
  public ImageVerifier followChains() {
    this.followChains = true;
    return this;
  }

  /** Says what a chain descriptor must say: location and key. */
  public ImageVerifier expectedChain(String partition, int rollbackLocation, AvbPublicKey key) {
    expectedChains.put(
        partition, new ChainPartitionDescriptor(rollbackLocation, partition, key.blob(), 0));
    return this;
  }

  /** Says which file a partition is, whatever its name. */
  public ImageVerifier partition(String name, Path file) {
    partitions.put(name, file);
    return this;
  }

  /** Accepts header flags that turn checks off. */
  public ImageVerifier allowFlags() {
    this.allowFlags = true;
    return this;
  }

  /**
   * Accepts a stored hash tree whose first bytes are {@code ZeRoHaSH}, which is made at first use.
   */
  public ImageVerifier acceptZeroedHashtree() {
    this.acceptZeroedHashtree = true;
    return this;
  }

  /**
   * Verifies the file. What is damaged shows in the report; only what cannot be read is thrown.
   *
   * @throws IOException if the file itself cannot be opened or read
   */
  public ImageReport verify(Path file) throws IOException {
    List<ImageReport.Check> checks = new ArrayList<>();
    verify(file, expectedKey, true, checks);
    return new ImageReport(checks);
  }

  private void verify(
      Path file, @Nullable ByteSlice key, boolean top, List<ImageReport.Check> checks)
      throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      ImageSource source = ImageSource.of(channel);
      String subject = "vbmeta of " + file.getFileName();
      VbmetaImage image;
      try {
        image = VbmetaImage.find(source);
      } catch (AvbException e) {
        checks.add(ImageReport.Check.failed(subject, e.getMessage()));
        return;
      }
      String fault = faultOf(image, key, top);
      checks.add(
          fault == null
              ? ImageReport.Check.passed(
                  subject, image.algorithm().orElseThrow() + " signature holds")
              : ImageReport.Check.failed(subject, fault));
      if (fault != null) {
        return;
      }
      DescriptorList list = image.descriptorList();
      for (AvbDescriptor descriptor : list.descriptors()) {
        check(descriptor, file, source, top, checks);
      }
      list.fault()
          .ifPresent(e -> checks.add(ImageReport.Check.failed("descriptors", e.getMessage())));
    }
  }

  private @Nullable String faultOf(VbmetaImage image, @Nullable ByteSlice key, boolean top) {
    VbmetaVerifier.Result result = VbmetaVerifier.verify(image);
    boolean unsignedIsFine = result.status() == VbmetaVerifier.Status.OK_NOT_SIGNED && key == null;
    if (!result.isOk() && !unsignedIsFine) {
      return result.status() + ": " + result.reason();
    }
    if (key != null && !key.equals(image.publicKey())) {
      return "the image is signed with another key than expected";
    }
    if (image.header().flags() != 0 && !(allowFlags && top)) {
      return "the flags are 0x%x but must be 0".formatted(image.header().flags());
    }
    return null;
  }

  private void check(
      AvbDescriptor descriptor,
      Path file,
      ImageSource source,
      boolean top,
      List<ImageReport.Check> checks) {
    try {
      if (descriptor instanceof HashDescriptor hash) {
        String subject = "hash of " + hash.partitionName();
        checks.add(withPartition(subject, hash, hash.imageSize(), file, source));
      } else if (descriptor instanceof HashtreeDescriptor tree) {
        String subject = "hashtree of " + tree.partitionName();
        checks.add(withPartition(subject, tree, tree.imageSize(), file, source));
      } else if (descriptor instanceof ChainPartitionDescriptor chain) {
        follow(chain, file, top, checks);
      }
    } catch (IOException | AvbException e) {
      checks.add(ImageReport.Check.failed(subject(descriptor), String.valueOf(e.getMessage())));
    }
  }

  private static String subject(AvbDescriptor descriptor) {
    return descriptor instanceof AvbDescriptor.OfPartition named
        ? "partition " + named.partitionName()
        : "descriptor";
  }

  private ImageReport.Check withPartition(
      String subject,
      AvbDescriptor.OfPartition descriptor,
      long size,
      Path file,
      ImageSource containing)
      throws IOException {
    Optional<Path> sibling = sibling(file, descriptor.partitionName());
    if (sibling.isPresent()) {
      try (FileChannel channel = FileChannel.open(sibling.get())) {
        return content(subject, descriptor, ImageSource.of(channel));
      }
    }
    Optional<AvbFooter> footer = AvbFooter.find(containing);
    boolean isItself =
        footer.isPresent()
            && (footer.get().originalImageSize() == size
                || (descriptor instanceof HashtreeDescriptor
                    && footer.get().originalImageSize() <= size
                    && footer.get().vbmetaOffset() >= size));
    return isItself
        ? content(subject, descriptor, containing)
        : ImageReport.Check.failed(
            subject, "there is no file \"" + descriptor.partitionName() + "\" next to the image");
  }

  private ImageReport.Check content(
      String subject, AvbDescriptor.OfPartition descriptor, ImageSource partition)
      throws IOException {
    if (descriptor instanceof HashtreeDescriptor tree) {
      return HashtreeCheck.check(subject, tree, partition, acceptZeroedHashtree);
    }
    HashDescriptor hash = (HashDescriptor) descriptor;
    if (hash.digest().isEmpty()) {
      return ImageReport.Check.failed(subject, "the digest is persistent: only a device knows it");
    }
    return hash.digestOf(partition).equals(hash.digest())
        ? ImageReport.Check.passed(subject, hash.hashAlgorithm() + " " + hash.digest().toHex())
        : ImageReport.Check.failed(subject, "the digest is another");
  }

  private void follow(
      ChainPartitionDescriptor chain, Path file, boolean top, List<ImageReport.Check> checks)
      throws IOException {
    String name = chain.partitionName();
    String subject = "chain to " + name;
    if (!top) {
      checks.add(ImageReport.Check.failed(subject, "a chained image must not chain further"));
      return;
    }
    ChainPartitionDescriptor expected = expectedChains.get(name);
    if (expected != null) {
      boolean same =
          expected.rollbackIndexLocation() == chain.rollbackIndexLocation()
              && expected.publicKey().equals(chain.publicKey());
      checks.add(
          same
              ? ImageReport.Check.passed(subject, "location and key are the expected ones")
              : ImageReport.Check.failed(subject, "location or key is not the expected one"));
    } else if (!followChains) {
      checks.add(
          ImageReport.Check.failed(
              subject, "neither is an expected chain given nor shall chains be followed"));
    }
    if (!followChains) {
      return;
    }
    Optional<Path> sibling = sibling(file, name);
    if (sibling.isEmpty()) {
      checks.add(
          ImageReport.Check.failed(subject, "there is no file \"" + name + "\" next to the image"));
      return;
    }
    verify(sibling.get(), chain.publicKey(), false, checks);
  }

  // A partition name is hostile: it must not lead out of the directory.
  private Optional<Path> sibling(Path file, String partition) {
    if (partitions.containsKey(partition)) {
      return Optional.of(partitions.get(partition));
    }
    if (partition.isEmpty()
        || partition.equals(".")
        || partition.equals("..")
        || partition.indexOf('/') >= 0
        || partition.indexOf('\\') >= 0
        || partition.indexOf(0) >= 0) {
      return Optional.empty();
    }
    String own = String.valueOf(file.getFileName());
    int dot = own.lastIndexOf('.');
    String extension = dot > 0 ? own.substring(dot) : "";
    try {
      for (String name : new String[] {partition + extension, partition}) {
        Path candidate = file.toAbsolutePath().resolveSibling(name);
        if (Files.isRegularFile(candidate)) {
          return Optional.of(candidate);
        }
      }
    } catch (InvalidPathException e) {
      // The platform's character set has no such name, so there is no such file.
      return Optional.empty();
    }
    return Optional.empty();
  }
}
