package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The images from which Android boots, joined as its boot loader joins them: the kernel of {@code
 * boot}; the ramdisks of {@code vendor_boot} but for those of recovery, then the generic one of
 * {@code init_boot} or {@code boot}, then bootconfig.
 *
 * <p>The command line is that of {@code vendor_boot} before that of {@code boot}, and says {@code
 * bootconfig} where there is any. Confined to one thread.
 */
public final class BootSet implements AutoCloseable {
  private static final String PARAMETER = "bootconfig";

  private final FileChannel bootFile;
  private final @Nullable FileChannel initBootFile;
  private final @Nullable FileChannel vendorBootFile;
  private final BootImage boot;
  private final @Nullable BootImage initBoot;
  private final @Nullable VendorBootImage vendorBoot;

  private BootSet(List<FileChannel> files, boolean hasInitBoot, boolean hasVendorBoot)
      throws IOException {
    bootFile = files.get(0);
    initBootFile = hasInitBoot ? files.get(1) : null;
    vendorBootFile = hasVendorBoot ? files.get(files.size() - 1) : null;
    boot = BootImage.read(ImageSource.of(bootFile));
    initBoot = initBootFile == null ? null : BootImage.read(ImageSource.of(initBootFile));
    vendorBoot =
        vendorBootFile == null ? null : VendorBootImage.read(ImageSource.of(vendorBootFile));
    if (boot.kernel().isEmpty()) {
      throw new ImageException(ImageFormat.BOOT, "there is no kernel in the boot image");
    }
    if (initBoot != null && !initBoot.kernel().isEmpty()) {
      throw new ImageException(ImageFormat.BOOT, "there is a kernel in the init_boot image");
    }
  }

  /**
   * Opens the images.
   *
   * @param initBoot may be null
   * @param vendorBoot may be null
   * @throws ImageException if one is damaged, or has not what it must have
   * @throws IOException if one cannot be read
   */
  public static BootSet open(Path boot, @Nullable Path initBoot, @Nullable Path vendorBoot)
      throws IOException {
    List<FileChannel> files = new ArrayList<>();
    try {
      for (Path file :
          Stream.of(
                  Optional.of(boot), Optional.ofNullable(initBoot), Optional.ofNullable(vendorBoot))
              .flatMap(Optional::stream)
              .toList()) {
        files.add(FileChannel.open(file));
      }
      return new BootSet(files, initBoot != null, vendorBoot != null);
    } catch (IOException | RuntimeException e) {
      for (FileChannel file : files) {
        file.close();
      }
      throw e;
    }
  }

  /**
   * Writes the kernel, unpacked if it is compressed as a whole.
   *
   * @throws ImageException if the compressed data is damaged
   */
  public void writeKernel(Path file) throws IOException {
    KernelContent.unpack(boot.kernel().of(ImageSource.of(bootFile)), file);
  }

  /**
   * Writes the initial RAM disk. A trailer that the last ramdisk has already is joined with the
   * other bootconfig.
   *
   * @param bootconfig more lines, each ended by a line feed, after all others
   * @throws ImageException if the bootconfig is too long, or a trailer damaged
   */
  public void writeInitrd(Path file, String bootconfig) throws IOException {
    List<ImageSource> ramdisks = ramdisks();
    List<String> texts = new ArrayList<>();
    if (!ramdisks.isEmpty()) {
      ImageSource last = ramdisks.get(ramdisks.size() - 1);
      Optional<Bootconfig> trailer = Bootconfig.find(last);
      if (trailer.isPresent()) {
        texts.add(trailer.get().text());
        ramdisks.set(ramdisks.size() - 1, ImageSource.prefix(last, trailer.get().ramdiskSize()));
      }
    }
    vendorBootconfig().ifPresent(texts::add);
    texts.add(bootconfig);
    try (AtomicFile out = AtomicFile.create(file)) {
      OutputStream stream = out.stream();
      for (ImageSource ramdisk : ramdisks) {
        new ImageView(ImageFormat.BOOT, ramdisk).copyTo(stream, 0, ramdisk.size(), "a ramdisk");
      }
      if (texts.stream().anyMatch(text -> !text.isEmpty())) {
        stream.write(Bootconfig.trailer(out.channel().size(), texts));
      }
      out.commit();
    }
  }

  private List<ImageSource> ramdisks() throws IOException {
    List<ImageSource> ramdisks = new ArrayList<>();
    if (vendorBoot != null && vendorBootFile != null) {
      for (VendorRamdisk ramdisk : vendorBoot.ramdisks()) {
        if (ramdisk.type() != VendorRamdisk.Type.RECOVERY) {
          ramdisks.add(ramdisk.part().of(ImageSource.of(vendorBootFile)));
        }
      }
    }
    if (initBoot != null && initBootFile != null) {
      ramdisks.add(initBoot.ramdisk().of(ImageSource.of(initBootFile)));
    } else if (!boot.ramdisk().isEmpty()) {
      ramdisks.add(boot.ramdisk().of(ImageSource.of(bootFile)));
    }
    return ramdisks;
  }

  private Optional<String> vendorBootconfig() throws IOException {
    if (vendorBoot == null || vendorBootFile == null || vendorBoot.bootconfig().isEmpty()) {
      return Optional.empty();
    }
    ImagePart part = vendorBoot.bootconfig();
    if (part.size() > Bootconfig.MAX_SIZE) {
      throw new ImageException(
          ImageFormat.VENDOR_BOOT,
          "the bootconfig has %d bytes but at most %d are read"
              .formatted(part.size(), Bootconfig.MAX_SIZE),
          part.offset());
    }
    byte[] text = part.of(ImageSource.of(vendorBootFile)).readRange(0, (int) part.size());
    return Optional.of(new String(text, StandardCharsets.UTF_8));
  }

  /**
   * The command line for the kernel.
   *
   * @param hasBootconfig whether lines are given besides those in the images
   */
  public String commandLine(boolean hasBootconfig) {
    boolean any = hasBootconfig || (vendorBoot != null && !vendorBoot.bootconfig().isEmpty());
    String joined =
        Stream.of(vendorBoot == null ? "" : vendorBoot.commandLine(), boot.commandLine())
            .filter(text -> !text.isBlank())
            .collect(Collectors.joining(" "));
    return !any || List.of(joined.split(" ")).contains(PARAMETER)
        ? joined
        : (joined + ' ' + PARAMETER).strip();
  }

  @Override
  public void close() throws IOException {
    bootFile.close();
    if (initBootFile != null) {
      initBootFile.close();
    }
    if (vendorBootFile != null) {
      vendorBootFile.close();
    }
  }
}
