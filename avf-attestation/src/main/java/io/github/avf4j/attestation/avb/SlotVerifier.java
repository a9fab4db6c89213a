package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.SlotVerification.Status;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntToLongFunction;

/**
 * Verifies the partitions of a slot as a boot loader with libavb does: top-level image, chained
 * images, the hash descriptors of the partitions that are asked for, rollback indexes.
 *
 * <p>Immutable after configuration; each verification is independent. Thread-safe then.
 */
public final class SlotVerifier {
  static final int MAX_VBMETA_IMAGES = 32;
  static final int MAX_PARTITIONS = 32;
  static final int ROLLBACK_LOCATIONS = 32;
  private static final int MAX_NAME = 31;

  private final Partitions partitions;
  private final KeyPolicy trustedKeys;
  private IntToLongFunction storedRollbackIndexes = location -> 0;
  private String slotSuffix = "";
  private boolean exactReads;

  /** Where partitions come from. */
  @FunctionalInterface
  public interface Partitions {
    /** The content of a partition, or empty if there is no such partition. */
    Optional<ImageSource> open(String name) throws IOException;
  }

  /** Decides which keys may sign the top-level image. */
  @FunctionalInterface
  public interface KeyPolicy {
    /** Whether the key, compared as a whole blob, is trusted. */
    boolean trusts(ByteSlice publicKey, ByteSlice metadata);
  }

  private SlotVerifier(Partitions partitions, KeyPolicy trustedKeys) {
    this.partitions = partitions;
    this.trustedKeys = trustedKeys;
  }

  /** A verifier with stored rollback indexes of 0 and no slot suffix. */
  public static SlotVerifier of(Partitions partitions, KeyPolicy trustedKeys) {
    return new SlotVerifier(partitions, trustedKeys);
  }

  /** Sets the stored rollback index of each location, unsigned. */
  public SlotVerifier storedRollbackIndexes(IntToLongFunction byLocation) {
    this.storedRollbackIndexes = byLocation;
    return this;
  }

  /** Sets what is appended to the names of partitions that use A/B, as {@code _a}. */
  public SlotVerifier slotSuffix(String suffix) {
    this.slotSuffix = suffix;
    return this;
  }

  /**
   * Makes a read beyond the end of a partition an I/O error, as pvmfw does. Otherwise an image at
   * the start of a partition may be shorter than the 64 KiB that are asked for.
   */
  public SlotVerifier exactReads() {
    this.exactReads = true;
    return this;
  }

  /**
   * Verifies. Throws nothing for damaged content or failing reads: those are results.
   *
   * @param requested the names of the partitions to load, without suffix
   */
  public SlotVerification verify(Set<String> requested) {
    Run run = new Run(requested);
    try {
      run.start();
      return run.result(Status.OK, "verified");
    } catch (Refusal refusal) {
      return run.result(refusal.status, refusal.reason);
    }
  }

  /** Ends a verification; never leaves this class. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;
    final Status status;
    final String reason;

    Refusal(Status status, String reason) {
      super(reason, null, false, false);
      this.status = status;
      this.reason = reason;
    }
  }

  private final class Run {
    private final Set<String> requested;
    private final List<SlotVerification.LoadedVbmeta> images = new ArrayList<>();
    private final List<SlotVerification.LoadedPartition> loaded = new ArrayList<>();
    private final long[] rollbackIndexes = new long[ROLLBACK_LOCATIONS];

    Run(Set<String> requested) {
      this.requested = Set.copyOf(requested);
    }

    SlotVerification result(Status status, String reason) {
      return new SlotVerification(status, reason, images, loaded, rollbackIndexes);
    }

    void start() throws Refusal {
      String name = open("vbmeta", true).isPresent() ? "vbmeta" : "boot";
      VbmetaImage top = load(name, true);
      if (!trustedKeys.trusts(top.publicKey(), top.publicKeyMetadata())) {
        throw new Refusal(
            Status.ERROR_PUBLIC_KEY_REJECTED,
            "the key that signed \"" + name + "\" is not trusted");
      }
      checkRollback(top, top.header().rollbackIndexLocation());
      if ((top.header().flags() & VbmetaHeader.VERIFICATION_DISABLED) != 0) {
        loadUnchecked();
        return;
      }
      follow(top, true);
    }

    private VbmetaImage load(String name, boolean useSuffix) throws Refusal {
      if (images.size() == MAX_VBMETA_IMAGES) {
        throw new Refusal(
            Status.ERROR_INVALID_METADATA, "more than " + MAX_VBMETA_IMAGES + " vbmeta images");
      }
      ImageSource partition = require(name, useSuffix);
      VbmetaVerifier.Result result = VbmetaVerifier.verify(readVbmeta(name, partition));
      switch (result.status()) {
        case OK -> {}
        case INVALID_VBMETA_HEADER -> throw refuse(Status.ERROR_INVALID_METADATA, name, result);
        case UNSUPPORTED_VERSION -> throw refuse(Status.ERROR_UNSUPPORTED_VERSION, name, result);
        default -> throw refuse(Status.ERROR_VERIFICATION, name, result);
      }
      VbmetaImage image = result.image().orElseThrow();
      images.add(new SlotVerification.LoadedVbmeta(name, image));
      return image;
    }

    private ByteSlice readVbmeta(String name, ImageSource partition) throws Refusal {
      long offset = 0;
      long size = VbmetaImage.MAX_SIZE;
      try {
        if (!name.equals("vbmeta")) {
          Optional<AvbFooter> footer = AvbFooter.find(partition);
          if (footer.isPresent()
              && Long.compareUnsigned(footer.get().vbmetaSize(), VbmetaImage.MAX_SIZE) <= 0) {
            offset = footer.get().vbmetaOffset();
            size = footer.get().vbmetaSize();
          }
        }
        if (!exactReads && offset >= 0) {
          size = Math.min(size, Math.max(0, partition.size() - offset));
        }
        return ByteSlice.takeOver(partition.readRange(offset, (int) size));
      } catch (IOException e) {
        throw new Refusal(
            Status.ERROR_IO,
            "the vbmeta image of \"" + name + "\" cannot be read: " + e.getMessage());
      }
    }

    private void checkRollback(VbmetaImage image, long location) throws Refusal {
      requireLocation(location);
      long index = image.header().rollbackIndex();
      long stored = storedRollbackIndexes.applyAsLong((int) location);
      if (Long.compareUnsigned(index, stored) < 0) {
        throw new Refusal(
            Status.ERROR_ROLLBACK_INDEX,
            "rollback index %s is below the stored %s"
                .formatted(Long.toUnsignedString(index), Long.toUnsignedString(stored)));
      }
      rollbackIndexes[(int) location] = index;
    }

    private void follow(VbmetaImage image, boolean topLevel) throws Refusal {
      List<AvbDescriptor> descriptors;
      try {
        descriptors = image.descriptors();
      } catch (AvbException e) {
        throw new Refusal(Status.ERROR_INVALID_METADATA, e.getMessage());
      }
      for (AvbDescriptor descriptor : descriptors) {
        if (descriptor instanceof HashDescriptor hash) {
          if (requested.contains(hash.partitionName())) {
            check(hash);
          }
        } else if (descriptor instanceof ChainPartitionDescriptor chain) {
          if (!topLevel) {
            throw new Refusal(
                Status.ERROR_INVALID_METADATA, "the chained image holds a chain descriptor itself");
          }
          follow(chain);
        }
      }
    }

    private void follow(ChainPartitionDescriptor chain) throws Refusal {
      boolean useSuffix = (chain.flags() & ChainPartitionDescriptor.DO_NOT_USE_AB) == 0;
      requireName(chain.partitionName());
      requireLocation(chain.rollbackIndexLocation());
      VbmetaImage image = load(chain.partitionName(), useSuffix);
      if (image.header().flags() != 0) {
        throw new Refusal(
            Status.ERROR_INVALID_METADATA,
            "the flags of the chained image \"" + chain.partitionName() + "\" must be 0");
      }
      if (!image.publicKey().equals(chain.publicKey())) {
        throw new Refusal(
            Status.ERROR_PUBLIC_KEY_REJECTED,
            "\"" + chain.partitionName() + "\" is signed with another key than its chain says");
      }
      checkRollback(image, chain.rollbackIndexLocation());
      follow(image, false);
    }

    private void check(HashDescriptor hash) throws Refusal {
      String name = hash.partitionName();
      requireName(name);
      requireRoom();
      boolean useSuffix = (hash.flags() & HashDescriptor.DO_NOT_USE_AB) == 0;
      ImageSource partition = require(name, useSuffix);
      try {
        partition.requireInside(0, hash.imageSize());
        if (hash.hash().isEmpty() || hash.digest().length() != hash.hash().get().digestSize()) {
          throw new Refusal(
              Status.ERROR_INVALID_METADATA,
              "the descriptor of \"" + name + "\" has no digest that can be checked");
        }
        if (!hash.digestOf(partition).equals(hash.digest())) {
          throw new Refusal(
              Status.ERROR_VERIFICATION,
              "the digest of \"" + name + "\" is not that of its descriptor");
        }
      } catch (IOException e) {
        throw new Refusal(
            Status.ERROR_IO, "partition \"" + name + "\" cannot be read: " + e.getMessage());
      }
      loaded.add(new SlotVerification.LoadedPartition(name, hash.imageSize(), true));
    }

    private void loadUnchecked() throws Refusal {
      for (String name : requested) {
        requireRoom();
        long size = require(name, true).size();
        loaded.add(new SlotVerification.LoadedPartition(name, size, false));
      }
    }

    private ImageSource require(String name, boolean useSuffix) throws Refusal {
      return open(name, useSuffix)
          .orElseThrow(() -> new Refusal(Status.ERROR_IO, "no partition \"" + name + "\""));
    }

    private Optional<ImageSource> open(String name, boolean useSuffix) throws Refusal {
      try {
        return partitions.open(useSuffix ? name + slotSuffix : name);
      } catch (IOException e) {
        throw new Refusal(
            Status.ERROR_IO, "partition \"" + name + "\" cannot be opened: " + e.getMessage());
      }
    }

    private void requireName(String name) throws Refusal {
      if (DescriptorWriter.utf8(name).length > MAX_NAME) {
        throw new Refusal(
            Status.ERROR_INVALID_METADATA, "a partition name has at most " + MAX_NAME + " bytes");
      }
    }

    private void requireLocation(long location) throws Refusal {
      if (location >= ROLLBACK_LOCATIONS) {
        throw new Refusal(
            Status.ERROR_INVALID_METADATA,
            "rollback index location " + location + " is above " + (ROLLBACK_LOCATIONS - 1));
      }
    }

    private void requireRoom() throws Refusal {
      if (loaded.size() == MAX_PARTITIONS) {
        throw new Refusal(
            Status.ERROR_INVALID_METADATA, "more than " + MAX_PARTITIONS + " partitions");
      }
    }

    private Refusal refuse(Status status, String name, VbmetaVerifier.Result result) {
      return new Refusal(status, "the vbmeta image of \"" + name + "\": " + result.reason());
    }
  }
}
