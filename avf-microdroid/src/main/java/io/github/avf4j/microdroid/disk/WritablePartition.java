package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * The kinds of partitions that a guest writes, with AVF's names; each begins with what tells the
 * guest that it is new.
 */
public enum WritablePartition {
  /** Zeros. */
  RAW(ImageFormat.RAW),
  /** What the stages of a VM remember from boot to boot. */
  ANDROID_VM_INSTANCE(ImageFormat.INSTANCE),
  /** Storage that the guest encrypts when it sees it first. */
  ENCRYPTEDSTORE(ImageFormat.ENCRYPTED_STORE);

  private static final int ALIGNMENT = 4096;
  private static final int INSTANCE_VERSION = 1;

  private final ImageFormat format;

  WritablePartition(ImageFormat format) {
    this.format = format;
  }

  /**
   * Writes a new partition, or replaces an old one.
   *
   * @param size in bytes, rounded up to a multiple of 4096
   * @return the size that the file has
   * @throws ImageException if the size is not positive
   */
  public long create(Path file, long size) throws IOException {
    if (size <= 0 || size > Long.MAX_VALUE - ALIGNMENT) {
      throw new ImageException(format, "the size must be at least 1 byte but is " + size);
    }
    long rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    try (AtomicFile out = AtomicFile.create(file)) {
      out.write(0, ByteBuffer.wrap(head()));
      out.extendTo(rounded);
      out.commit();
    }
    return rounded;
  }

  private byte[] head() {
    byte[] magic = format.magic();
    ByteBuffer head = ByteBuffer.allocate(magic.length + 2).order(ByteOrder.LITTLE_ENDIAN);
    head.put(magic);
    if (this == ANDROID_VM_INSTANCE) {
      head.putShort((short) INSTANCE_VERSION);
    }
    return head.array();
  }

  /**
   * Whether no guest has formatted this encrypted store yet.
   *
   * @throws ImageException if its size is no multiple of 4096
   */
  public static boolean isUnformattedStore(ImageSource partition) throws IOException {
    ImageView in = new ImageView(ImageFormat.ENCRYPTED_STORE, partition);
    if (in.size() == 0 || in.size() % ALIGNMENT != 0) {
      throw in.refused("the size must be a multiple of 4096 but is " + in.size(), 0);
    }
    return ImageFormat.of(partition) == ImageFormat.ENCRYPTED_STORE;
  }
}
