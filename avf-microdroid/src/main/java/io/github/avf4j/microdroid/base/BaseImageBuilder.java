package io.github.avf4j.microdroid.base;

import io.github.avf4j.KernelImage;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.HashDescriptor;
import io.github.avf4j.attestation.avb.HashFooter;
import io.github.avf4j.attestation.avb.HashtreeFooter;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.pvmfw.Capability;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.initrd.GuestBinary;
import io.github.avf4j.microdroid.kernel.KernelUnpacker;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Assembles a base image from a stock kernel, the guest's own programs that are built into this
 * library, and a C runtime. The same input makes the same bytes.
 *
 * <p>Files are streamed. Confined to one thread, which blocks; {@link #build} may be called
 * repeatedly.
 */
public final class BaseImageBuilder {
  /** The rollback index unless another is set: the least with which a guest protects itself. */
  public static final long DEFAULT_ROLLBACK_INDEX = 1;

  private static final String CAPABILITIES = "com.android.virt.cap";
  private static final String NORMAL = "initrd_normal";
  private static final String DEBUG = "initrd_debug";
  private static final String BOOT = "boot";
  private static final String KERNEL_ADVICE = "give a Linux kernel (vmlinuz)";
  private static final int BLOCK = 4096;
  private static final int PIECE = 1 << 16;

  private final KernelImage kernel;
  private final GuestArchitecture architecture;
  private final SystemImage system;
  private AvbSigner signer = DevelopmentKey.signer();
  private long rollbackIndex = DEFAULT_ROLLBACK_INDEX;

  /** Starts an image for guests of this host that is signed with the {@link DevelopmentKey}. */
  public BaseImageBuilder(KernelImage kernel, GuestRuntime runtime) {
    this(kernel, runtime, GuestArchitecture.host());
  }

  BaseImageBuilder(KernelImage kernel, GuestRuntime runtime, GuestArchitecture architecture) {
    this.kernel = kernel;
    this.architecture = architecture;
    this.system = new SystemImage(runtime, architecture);
    system.program(GuestBinary.LAUNCHER);
    system.library(GuestBinary.PAYLOAD_LIBRARY);
    system.library(GuestBinary.BINDER_LIBRARY);
  }

  /** Signs with another key, which must have 4096 bits. */
  public BaseImageBuilder signedBy(AvbSigner other) {
    this.signer = other;
    return this;
  }

  /** Sets the rollback index, unsigned. With 0, a guest cannot protect itself against rollback. */
  public BaseImageBuilder rollbackIndex(long index) {
    this.rollbackIndex = index;
    return this;
  }

  /**
   * Adds a file to the system, or replaces one of the guest's own programs.
   *
   * @param path from the root of the system, in {@code bin}, {@code lib64} or {@code NOTICE}
   * @param file its content
   * @param executable whether it may be run
   */
  public BaseImageBuilder addToSystem(String path, Path file, boolean executable) {
    system.add(path, file, executable);
    return this;
  }

  /**
   * The files that the image would be made of, as they are now; those that are built into this
   * library are not among them.
   *
   * @throws io.github.avf4j.InvalidImageException if one cannot be used
   * @throws IOException if one cannot be read
   */
  List<FileStamp> sources() throws IOException {
    List<FileStamp> sources = new ArrayList<>();
    sources.add(FileStamp.of(kernel.image(), "kernel", KERNEL_ADVICE));
    sources.addAll(new BaseRamdisk(architecture, kernel.modules()).sources());
    sources.addAll(system.sources());
    return sources;
  }

  /**
   * Makes the image. It appears whole or not at all; one that was there is replaced.
   *
   * @param folder the base image; the folder above is made if it is missing
   * @throws io.github.avf4j.InvalidImageException if the kernel, a module or the runtime cannot be
   *     used
   * @throws io.github.avf4j.attestation.avb.AvbException of kind KEY if the key does not fit or
   *     does not sign, of kind REQUEST if an image is too large
   * @throws io.github.avf4j.microdroid.image.ImageException if a file does not fit into the system
   * @throws io.github.avf4j.StoreException if there is a folder with other files in it
   * @throws IOException if a file cannot be read or written
   */
  public BaseImage build(Path folder, Progress progress) throws IOException {
    FileStamp stock = FileStamp.of(kernel.image(), "kernel", KERNEL_ADVICE);
    Set<String> names = new HashSet<>(BaseImage.IMAGES);
    names.add(BaseImage.DESCRIPTION);
    try (StagedFolder staged = StagedFolder.create(folder, names)) {
      BaseRamdisk ramdisk = new BaseRamdisk(architecture, kernel.modules());
      long systemSize = system.size();
      long total = systemSize + stock.size();
      HashtreeFooter.Made tree =
          system.write(
              staged.file(BaseImage.SYSTEM),
              vbmeta(),
              (done, of) -> progress.at(Math.min(done, systemSize), total));
      Files.write(staged.file(BaseImage.VBMETA), padded(tree.vbmeta()));

      VbmetaImage described = VbmetaImage.parse(tree.vbmeta());
      ramdisk.write(staged.file(BaseImage.INITRD_NORMAL), BootconfigLines.of(described, false));
      ramdisk.write(staged.file(BaseImage.INITRD_DEBUGGABLE), BootconfigLines.of(described, true));

      Path signed = staged.file(BaseImage.KERNEL);
      copy(kernel.image(), signed, done -> progress.at(systemSize + done, total));
      HashFooter.Made boot =
          HashFooter.forPartition(BOOT)
              .salt(Salts.of(Salts.KERNEL))
              .addTo(
                  signed,
                  vbmeta()
                      .add(describe(NORMAL, staged.file(BaseImage.INITRD_NORMAL)))
                      .add(describe(DEBUG, staged.file(BaseImage.INITRD_DEBUGGABLE)))
                      .add(
                          PropertyDescriptor.of(
                              CAPABILITIES, Capability.SECRETKEEPER_PROTECTION.text())));
      // A kernel that our own machines refuse must not leave this place.
      KernelUnpacker.check(signed, architecture);
      ImageDescription.of(architecture, signer.publicKey(), rollbackIndex, boot, tree)
          .write(staged.path(), staged.file(BaseImage.DESCRIPTION));
      staged.commit();
    }
    return BaseImage.open(folder);
  }

  private VbmetaBuilder vbmeta() {
    return new VbmetaBuilder()
        .signedBy(signer, AvbAlgorithm.SHA256_RSA4096)
        .rollbackIndex(rollbackIndex);
  }

  private static HashDescriptor describe(String partition, Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return HashFooter.forPartition(partition)
          .salt(Salts.of(partition))
          .describe(ImageSource.of(channel));
    }
  }

  /** A partition's image has whole blocks. */
  private static byte[] padded(ByteSlice vbmeta) {
    int size = (vbmeta.length() + BLOCK - 1) / BLOCK * BLOCK;
    return Arrays.copyOf(vbmeta.toByteArray(), size);
  }

  private interface Copied {
    void at(long bytes);
  }

  private static void copy(Path from, Path to, Copied copied) throws IOException {
    byte[] buffer = new byte[PIECE];
    long done = 0;
    try (InputStream in = Files.newInputStream(from);
        OutputStream out = Files.newOutputStream(to)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        out.write(buffer, 0, count);
        done += count;
        copied.at(done);
      }
    }
  }
}
