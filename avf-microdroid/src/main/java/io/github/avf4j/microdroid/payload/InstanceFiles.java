package io.github.avf4j.microdroid.payload;

import io.github.avf4j.DataSize;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.disk.WritablePartition;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Optional;

/**
 * What makes one VM differ from every other: instance image, encrypted store, instance id. Made
 * once and never again, because a second one would have other secrets.
 *
 * <p>The id is written last: without it there is no instance yet, with it nothing may be missing.
 * Confined to one thread.
 */
final class InstanceFiles {
  static final String IMAGE = "instance.img";
  static final String STORE = "storage.img";
  static final String ID = "instance_id";

  private static final int ID_SIZE = 64;
  private static final long IMAGE_SIZE = 10L << 20;
  private static final int ALIGNMENT = 4096;
  private static final SecureRandom random = new SecureRandom();

  private final Path image;
  private final Path store;
  private final Path id;

  InstanceFiles(Path folder) {
    image = folder.resolve(IMAGE);
    store = folder.resolve(STORE);
    id = folder.resolve(ID);
  }

  /**
   * The instance.
   *
   * @param id its 64 bytes
   * @param isNew whether nobody has written to the image yet
   */
  record Instance(ByteSlice id, boolean isNew) {}

  Path image() {
    return image;
  }

  Path store() {
    return store;
  }

  /**
   * Makes the instance, or checks the one that is there.
   *
   * @throws PackException of the error INSTANCE if one is there that is not whole
   * @throws IOException if a file cannot be read or written
   */
  Instance ensure(Optional<DataSize> storage) throws IOException {
    if (Files.exists(id, LinkOption.NOFOLLOW_LINKS)) {
      ByteSlice known = readId();
      check(image, IMAGE_SIZE);
      if (format(image) != ImageFormat.INSTANCE) {
        throw lost(image + " does not begin as an instance image");
      }
      if (storage.isPresent()) {
        check(store, rounded(storage.get()));
      }
      return new Instance(known, hasOnlyZerosBehind(image, ImageFormat.INSTANCE));
    }
    // What a killed process left is made again, but never what a guest has written to.
    requireUnused(image, ImageFormat.INSTANCE);
    requireUnused(store, ImageFormat.ENCRYPTED_STORE);
    Files.deleteIfExists(store);
    if (storage.isPresent()) {
      WritablePartition.ENCRYPTEDSTORE.create(store, storage.get().bytes());
    }
    WritablePartition.ANDROID_VM_INSTANCE.create(image, IMAGE_SIZE);
    return new Instance(makeId(), true);
  }

  /**
   * Makes the id of an instance that has no files, or reads the one that is there.
   *
   * @throws PackException if it cannot be used
   * @throws IOException if it cannot be read or written
   */
  ByteSlice ensureId() throws IOException {
    return Files.exists(id, LinkOption.NOFOLLOW_LINKS) ? readId() : makeId();
  }

  /** The id, if there is one that can be used. */
  Optional<ByteSlice> id() {
    try {
      return Optional.of(readId());
    } catch (IOException | PackException e) {
      return Optional.empty();
    }
  }

  private ByteSlice readId() throws IOException {
    check(id, ID_SIZE);
    ByteSlice known = ByteSlice.takeOver(Files.readAllBytes(id));
    if (known.length() != ID_SIZE || known.isAllZero()) {
      throw lost(id + " does not have 64 random bytes");
    }
    return known;
  }

  private ByteSlice makeId() throws IOException {
    byte[] bytes = new byte[ID_SIZE];
    random.nextBytes(bytes);
    try (AtomicFile file = AtomicFile.create(id, PosixFilePermissions.fromString("rw-------"))) {
      file.write(0, ByteBuffer.wrap(bytes));
      file.commit();
    }
    return ByteSlice.takeOver(bytes);
  }

  private void check(Path file, long size) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      throw lost(file + " is missing or no regular file");
    }
    long is = Files.size(file);
    if (is != size) {
      throw lost("%s has %d bytes instead of %d".formatted(file, is, size));
    }
  }

  private void requireUnused(Path file, ImageFormat format) throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        || format(file) != format
        || !hasOnlyZerosBehind(file, format)) {
      throw lost(file + " was used by an instance whose file " + id.getFileName() + " is missing");
    }
  }

  /** Whether the first page is as it was made; a guest writes there before anywhere else. */
  private static boolean hasOnlyZerosBehind(Path file, ImageFormat format) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      ImageSource content = ImageSource.of(channel);
      int head = format == ImageFormat.INSTANCE ? 512 : format.magic().length;
      int length = (int) Math.min(ALIGNMENT, content.size()) - head;
      return length >= 0 && ByteSlice.takeOver(content.readRange(head, length)).isAllZero();
    }
  }

  private static ImageFormat format(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return ImageFormat.of(ImageSource.of(channel));
    }
  }

  private static long rounded(DataSize size) {
    return (size.bytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private static PackException lost(String what) {
    return new PackException(
        PackError.INSTANCE,
        what
            + ": restore the VM's folder from a copy, or delete the VM and create it again, which"
            + " gives it other secrets and an empty storage");
  }
}
