package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbDescriptor;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.HashDescriptor;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import io.github.avf4j.attestation.avb.SlotVerification;
import io.github.avf4j.attestation.avb.SlotVerifier;
import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Verifies kernel and ramdisk by the rules of pvmfw.
 *
 * <p>Whether the guest can be debugged is decided by nothing but which of the two ramdisks of the
 * kernel's descriptors was given. Thread-safe.
 */
public final class PayloadVerifier {
  private static final String BOOT = "boot";
  private static final String NORMAL = "initrd_normal";
  private static final String DEBUG = "initrd_debug";
  private static final int DIGEST_SIZE = 32;

  private final List<AvbPublicKey> trustedKeys;
  private final PvmfwRevision revision;

  /**
   * Makes a verifier.
   *
   * @param trustedKeys the keys that may sign, the firmware's own first; no key, no boot
   * @param revision whose rules hold
   */
  public PayloadVerifier(List<AvbPublicKey> trustedKeys, PvmfwRevision revision) {
    this.trustedKeys = List.copyOf(trustedKeys);
    this.revision = revision;
  }

  /**
   * Verifies.
   *
   * @param kernel the whole signed file: kernel, vbmeta image, footer
   * @param initrd the ramdisk without a footer, or null for none
   * @throws PvmfwException of one of the AVB, DESCRIPTORS or property errors
   */
  public VerifiedPayload verify(ImageSource kernel, @Nullable ImageSource initrd) {
    SlotVerifier verifier =
        SlotVerifier.of(name -> partition(name, kernel, initrd), this::isTrusted).exactReads();
    SlotVerification boot = verifier.verify(Set.of(BOOT));
    requireOk(boot);
    if (boot.images().size() != 1 || !boot.images().get(0).partitionName().equals(BOOT)) {
      throw fault(
          PvmfwError.AVB_INVALID_METADATA, "there must be one vbmeta image, that of the kernel");
    }
    VbmetaImage image = boot.images().get(0).image();
    if (image.header().flags() != 0) {
      throw fault(PvmfwError.AVB_INVALID_METADATA, "the flags of the vbmeta image must be 0");
    }
    List<AvbDescriptor> descriptors = descriptors(image);
    Map<String, HashDescriptor> hashes = hashes(descriptors);
    requireWholeKernel(hashes.get(BOOT), kernel);
    PayloadProperties properties =
        PayloadProperties.of(
            descriptors.stream()
                .filter(PropertyDescriptor.class::isInstance)
                .map(PropertyDescriptor.class::cast)
                .toList(),
            revision);
    String matched = matchedInitrd(verifier, hashes, initrd);
    AvbPublicKey key = AvbPublicKey.parse(image.publicKey());
    return new VerifiedPayload(
        matched != null && matched.equals(DEBUG),
        digest(hashes, BOOT),
        Optional.ofNullable(matched).map(name -> digest(hashes, name)),
        key,
        trustedKeys.indexOf(key),
        properties.capabilities(),
        boot.rollbackIndexes()[0],
        properties.pageSize(),
        properties.name(),
        boot.vbmetaDigest());
  }

  private static Optional<ImageSource> partition(
      String name, ImageSource kernel, @Nullable ImageSource initrd) {
    return switch (name) {
      case BOOT -> Optional.of(kernel);
      case NORMAL, DEBUG -> Optional.ofNullable(initrd);
      default -> Optional.empty();
    };
  }

  private boolean isTrusted(ByteSlice key, ByteSlice metadata) {
    return trustedKeys.stream().anyMatch(trusted -> trusted.blob().equals(key));
  }

  private static void requireOk(SlotVerification result) {
    switch (result.status()) {
      case OK -> {}
      case ERROR_IO -> throw fault(PvmfwError.AVB_IO, result.reason());
      case ERROR_VERIFICATION -> throw fault(PvmfwError.AVB_VERIFICATION, result.reason());
      case ERROR_PUBLIC_KEY_REJECTED ->
          throw fault(PvmfwError.AVB_PUBLIC_KEY_REJECTED, result.reason());
      case ERROR_UNSUPPORTED_VERSION ->
          throw fault(PvmfwError.AVB_UNSUPPORTED_VERSION, result.reason());
      case ERROR_ROLLBACK_INDEX -> throw fault(PvmfwError.AVB_ROLLBACK_INDEX, result.reason());
      default -> throw fault(descriptorError(result), result.reason());
    }
  }

  // libavb would stop at such a descriptor silently, and pvmfw's own parser then complain.
  private static PvmfwError descriptorError(SlotVerification result) {
    if (result.images().size() == 1) {
      Optional<AvbException> fault = result.images().get(0).image().descriptorList().fault();
      if (fault.isPresent()) {
        return errorOf(fault.get());
      }
    }
    return PvmfwError.AVB_INVALID_METADATA;
  }

  private static List<AvbDescriptor> descriptors(VbmetaImage image) {
    try {
      return image.descriptors();
    } catch (AvbException e) {
      throw fault(errorOf(e), e.getMessage());
    }
  }

  private static PvmfwError errorOf(AvbException fault) {
    return switch (fault.kind()) {
      case DESCRIPTOR_HEADER -> PvmfwError.DESCRIPTORS_INVALID_HEADER;
      case DESCRIPTOR_VALUE -> PvmfwError.DESCRIPTORS_INVALID_VALUE;
      case DESCRIPTOR_SIZE -> PvmfwError.DESCRIPTORS_INVALID_SIZE;
      case DESCRIPTOR_UTF8 -> PvmfwError.DESCRIPTORS_INVALID_UTF8;
      default -> PvmfwError.DESCRIPTORS_INVALID_CONTENTS;
    };
  }

  private static Map<String, HashDescriptor> hashes(List<AvbDescriptor> descriptors) {
    Map<String, HashDescriptor> hashes = new HashMap<>();
    for (AvbDescriptor descriptor : descriptors) {
      if (descriptor instanceof HashDescriptor hash) {
        String name = hash.partitionName();
        if (!Set.of(BOOT, NORMAL, DEBUG).contains(name)) {
          throw fault(
              PvmfwError.DESCRIPTORS_INVALID_CONTENTS, "partition \"" + name + "\" is unknown");
        }
        if (hashes.put(name, hash) != null) {
          throw fault(
              PvmfwError.DESCRIPTORS_INVALID_CONTENTS,
              "partition \"" + name + "\" is described twice");
        }
      }
    }
    if (!hashes.containsKey(BOOT)) {
      throw fault(PvmfwError.DESCRIPTORS_INVALID_CONTENTS, "partition \"boot\" is not described");
    }
    return hashes;
  }

  private static void requireWholeKernel(HashDescriptor boot, ImageSource kernel) {
    try {
      long original = AvbFooter.find(kernel).map(AvbFooter::originalImageSize).orElse(-1L);
      if (original != boot.imageSize()) {
        throw fault(
            PvmfwError.AVB_INVALID_METADATA,
            "the descriptor covers %s bytes of the kernel but the footer says it has %s"
                .formatted(
                    Long.toUnsignedString(boot.imageSize()), Long.toUnsignedString(original)));
      }
    } catch (IOException e) {
      throw new PvmfwException(PvmfwError.AVB_IO, "the kernel cannot be read", e);
    }
  }

  private static @Nullable String matchedInitrd(
      SlotVerifier verifier, Map<String, HashDescriptor> hashes, @Nullable ImageSource initrd) {
    if (initrd == null) {
      if (hashes.size() > 1) {
        throw fault(PvmfwError.AVB_INVALID_METADATA, "a ramdisk is described but none is given");
      }
      return null;
    }
    for (String name : new String[] {NORMAL, DEBUG}) {
      SlotVerification result = verifier.verify(Set.of(name));
      if (result.isOk()
          && result.partitions().size() == 1
          && result.partitions().get(0).name().equals(name)
          && result.partitions().get(0).size() == initrd.size()) {
        return name;
      }
    }
    throw fault(PvmfwError.AVB_VERIFICATION, "the ramdisk is none of those that are described");
  }

  private static ByteSlice digest(Map<String, HashDescriptor> hashes, String name) {
    ByteSlice digest = hashes.get(name).digest();
    if (digest.length() != DIGEST_SIZE) {
      throw fault(
          PvmfwError.AVB_INVALID_METADATA,
          "the digest of \"%s\" must have 32 bytes but has %d".formatted(name, digest.length()));
    }
    return digest;
  }

  private static PvmfwException fault(PvmfwError error, @Nullable String reason) {
    return new PvmfwException(error, String.valueOf(reason));
  }
}
